"""Heartbeats: when each part of the relay last did its work without a failure, for health and metrics."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, text

from somos.mesh import clock
from somos.mesh.database import alone
from somos.mesh.runtime import Runtime

# An idle system is not to write every second that it is idle.
WRITE_EVERY: Final = timedelta(seconds=5)
# How long each may be silent before an alert: those of every second, and those of every minute.
RELAY: Final = ("relay", "clock-rollback", "tick", "fan-out", "wake", "seal")
HOUSEKEEPING: Final = (
    "forget-answers",
    "forget-deliveries",
    "forget-calls",
    "forget-events",
    "forget-reports",
    "forget-audit",
)
MAX_SILENCE: Final = {
    **dict.fromkeys(RELAY, timedelta(seconds=15)),
    **dict.fromkeys(HOUSEKEEPING, timedelta(minutes=5)),
}

# A heartbeat need not wait for the disk.
_RECORD = text("""
insert into mesh.heartbeats (part, at)
select part, :now from unnest(cast(:parts as text[])) as p(part)
where (select set_config('synchronous_commit', 'off', true)) = 'off'
on conflict (part) do update set at = excluded.at
""")
_LAST_SEEN = text("select part, at from mesh.heartbeats where part = any(:parts)")


def record(engine: Any, parts: Iterable[str]) -> None:
    """These parts did their work just now."""
    with alone(engine) as connection:
        connection.execute(_RECORD, {"parts": list(parts), "now": clock.now()})


class HeartbeatWriter:
    """Heartbeats of one thread, gathered and written every few seconds, whichever way the clock went."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._written_at: datetime | None = None
        self._parts: set[str] = set()

    def add(self, parts: Iterable[str]) -> None:
        """These parts did their work just now."""
        self._parts.update(parts)
        now = clock.now()
        if self._written_at is None or abs(now - self._written_at) >= WRITE_EVERY:
            record(self._runtime.engine, sorted(self._parts))
            self._parts, self._written_at = set(), now


def last_seen(connection: Connection) -> dict[str, datetime | None]:
    """When each part last did its work; None when it never did."""
    at = {row.part: row.at for row in connection.execute(_LAST_SEEN, {"parts": list(MAX_SILENCE)})}
    return {part: at.get(part) for part in MAX_SILENCE}


def overdue(last: dict[str, datetime | None]) -> list[str]:
    """Parts without a heartbeat for longer than they may be silent, or with one from before the clock was set back."""
    now = clock.now()
    return [part for part, at in last.items() if at is None or abs(now - at) >= MAX_SILENCE[part]]
