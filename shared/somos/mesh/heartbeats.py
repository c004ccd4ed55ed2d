"""Signs of life: when each part of the relay last did its work without a failure, for health and metrics."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, text

from somos.mesh import clock
from somos.mesh.database import alone
from somos.mesh.runtime import Runtime

# An idle house is not to write every second that it is idle.
EVERY: Final = timedelta(seconds=5)
# How long each may be silent before somebody is told. Those of a second, and those of a minute.
RELAY: Final = ("relay", "setback", "tick", "fan-out", "ring", "seal")
HOUSE: Final = (
    "forget-answers",
    "forget-deliveries",
    "forget-calls",
    "forget-events",
    "forget-reports",
    "forget-audit",
)
SILENCE: Final = {
    **dict.fromkeys(RELAY, timedelta(seconds=15)),
    **dict.fromkeys(HOUSE, timedelta(minutes=5)),
}

# Signs of life need not wait for the disk.
_BEAT = text("""
insert into mesh.heartbeats (part, at)
select part, :now from unnest(cast(:parts as text[])) as p(part)
where (select set_config('synchronous_commit', 'off', true)) = 'off'
on conflict (part) do update set at = excluded.at
""")
_SEEN = text("select part, at from mesh.heartbeats where part = any(:parts)")


def beat(engine: Any, parts: Iterable[str]) -> None:
    """These parts did their work just now."""
    with alone(engine) as connection:
        connection.execute(_BEAT, {"parts": list(parts), "now": clock.now()})


class Pulse:
    """Signs of life of one thread, gathered and written every few seconds, whichever way the clock went."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._written_at: datetime | None = None
        self._parts: set[str] = set()

    def beat(self, parts: Iterable[str]) -> None:
        """These parts did their work just now."""
        self._parts.update(parts)
        now = clock.now()
        if self._written_at is None or abs(now - self._written_at) >= EVERY:
            beat(self._runtime.engine, sorted(self._parts))
            self._parts, self._written_at = set(), now


def seen(connection: Connection) -> dict[str, datetime | None]:
    """When each part last did its work; None when it never did."""
    found = {row.part: row.at for row in connection.execute(_SEEN, {"parts": list(SILENCE)})}
    return {part: found.get(part) for part in SILENCE}


def silent(last: dict[str, datetime | None]) -> list[str]:
    """Parts of which nothing was heard for longer than they may be silent, or only before the clock was set back."""
    now = clock.now()
    return [part for part, at in last.items() if at is None or abs(now - at) >= SILENCE[part]]
