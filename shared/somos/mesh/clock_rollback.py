"""A clock that was set back: what was to wait seconds by the old time does not wait hours by the new one."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from somos.mesh import clock
from somos.mesh.database import atomically
from somos.mesh.leases import LEASE
from somos.mesh.log import log
from somos.mesh.outbox import BACKOFF_MOST, changed
from somos.mesh.runtime import Runtime

# Clocks of two machines differ a little, and a small step back costs no more than itself.
MIN_ROLLBACK = timedelta(seconds=30)
# Whoever still works on a delivery has renewed its lease by the new time when this is over.
RENEWED_AFTER = 2 * LEASE

_LATEST = text("select max(at) from mesh.heartbeats where part in ('relay', 'before-rollback')")
_BEFORE = text("select at from mesh.heartbeats where part = 'before-rollback'")
_NOTE = text(
    "insert into mesh.heartbeats (part, at) values ('before-rollback', :latest) "
    "on conflict (part) do update set at = greatest(heartbeats.at, excluded.at)"
)
# Waits that the mesh itself set: events due at once, retries, and leases of the dead. They keep what was left of the
# wait. What somebody stated for a later hour stays where it is.
_PULL_FORWARD = text("""
update mesh.deliveries d
set due_at = greatest(cast(:now as timestamptz), d.due_at - cast(:seconds as double precision) * interval '1 second')
from mesh.outbox o
where o.id = d.event_id and d.state = 'due' and d.due_at > :soon and d.due_at <= :most
    and (d.attempts > 0 or o.due_at <= o.occurred_at)
""")


class RollbackWatch:
    """Notices that the clock went back, also while no relay ran, and corrects what waits by the old time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._latest: datetime | None = None
        self._correct_at: datetime | None = None

    def check(self) -> None:
        """To be called every second or so."""
        now = clock.now()
        if self._latest is None:  # just started: the last heartbeat is from before
            with atomically(self._runtime.engine) as connection:
                self._latest = connection.execute(_LATEST).scalar() or now
        if now < self._latest - MIN_ROLLBACK and self._correct_at is None:
            self._correct_at = now + RENEWED_AFTER
            with atomically(self._runtime.engine) as connection:
                connection.execute(_NOTE, {"latest": self._latest})
            log.warning("clock_set_back", by_seconds=round((self._latest - now).total_seconds()))
        if self._correct_at is None:
            self._latest = now
        elif now >= self._correct_at:
            self._correct(now, self._latest)

    def _correct(self, now: datetime, latest: datetime) -> None:
        with atomically(self._runtime.engine) as connection:
            pulled = pull_forward(connection, now, latest)
        self._latest, self._correct_at = now, None
        log.warning("deliveries_pulled_forward", count=pulled)


def clock_before_rollback(connection: Connection) -> datetime | None:
    """What the clock showed before it was last set back."""
    at: datetime | None = connection.execute(_BEFORE).scalar()
    return at


def pull_forward(connection: Connection, now: datetime, latest: datetime) -> int:
    """Take `latest - now` off the waits that were set before the clock went back; how many."""
    back = (latest - now).total_seconds()
    values = {"now": now, "seconds": back, "soon": now + LEASE, "most": latest + BACKOFF_MOST}
    return changed(connection.execute(_PULL_FORWARD, values))
