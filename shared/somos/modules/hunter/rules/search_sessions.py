"""State machine of a search (flows 1.1): what is not listed is refused."""

from typing import Final

from somos.modules.hunter.rules.leads import NotAllowed, _machine

SESSION: Final = _machine(
    queued="running cancelled failed",
    running="paused completed failed cancelled",
    paused="running cancelled",
    completed="",
    failed="",
    cancelled="",
)

LIVE_SESSIONS: Final = ("queued", "running", "paused")

SESSION_STATES: Final = tuple(SESSION)

SESSION_NAMES: Final = {
    "queued": "na fila", "running": "em andamento", "paused": "em pausa", "completed": "concluída",
    "failed": "com falha", "cancelled": "cancelada",
}  # fmt: skip


def move_session(state: str, to: str) -> str:
    """The new state of a search, or NotAllowed."""
    if to not in SESSION[state]:
        raise NotAllowed(f"Uma busca {SESSION_NAMES[state]} não pode passar a {SESSION_NAMES[to]}.")
    return to
