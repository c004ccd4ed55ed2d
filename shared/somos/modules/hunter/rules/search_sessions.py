"""State machine of a search (flows 1.1): what is not listed is refused."""

from typing import Final

from somos.kernel.states import Machine

SESSION: Final = Machine(
    "Uma busca",
    {
        "queued": "running cancelled failed",
        "running": "paused completed failed cancelled",
        "paused": "running cancelled",
        "completed": "",
        "failed": "",
        "cancelled": "",
    },
    {
        "queued": "na fila",
        "running": "em andamento",
        "paused": "em pausa",
        "completed": "concluída",
        "failed": "com falha",
        "cancelled": "cancelada",
    },
    code="search-state",
)
LIVE_SESSIONS: Final = ("queued", "running", "paused")
KINDS: Final = ("search", "import")
