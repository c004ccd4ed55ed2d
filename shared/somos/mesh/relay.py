"""The safety net: rings for what is due, ticks the timers, seals the audit trail, forgets what is old."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from somos.mesh import clock, outbox
from somos.mesh.database import atomically
from somos.mesh.ids import stable
from somos.mesh.log import log
from somos.mesh.runtime import Runtime

PERIOD_S = 1.0
KEEP_IDEMPOTENCY = timedelta(days=2)
KEEP_DONE = timedelta(days=30)


class Relay:
    """Any number may run; each turn is harmless to repeat."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stop = threading.Event()
        self._minute: datetime | None = None

    def run(self) -> None:
        """Turn once a period until stopped."""
        while not self._stop.is_set():
            try:
                self.turn()
            except SQLAlchemyError as error:
                log.warning("relay-waits", error=type(error).__name__)
            except Exception:
                log.exception("relay-turn-failed")  # a safety net does not fall with what it holds
            self._stop.wait(PERIOD_S)

    def stop(self) -> None:
        self._stop.set()

    def turn(self) -> None:
        """One round: new minutes tick, new events fan out, due queues ring."""
        minute = clock.now().replace(second=0, microsecond=0)
        if minute != self._minute:
            self.tick(minute)
            self.forget()
            self._minute = minute
        engine = self._runtime.engine
        outbox.fan_out(engine, self._runtime.routes)
        self._runtime.bell.ring(outbox.due_queues(engine))
        self.seal()
        self._beat()

    def tick(self, minute: datetime) -> list[str]:
        """State the tick of every timer due in this minute; a tick stated twice is one."""
        from croniter import croniter

        local = minute.astimezone(clock.SAO_PAULO)
        due = [t.function for t in self._runtime.routes.ticks if croniter.match(t.schedule, local)]
        rows = [self._tick_row(function, minute) for function in due]
        if rows:
            with atomically(self._runtime.engine) as connection:
                outbox.write(connection, rows)
        return due

    def seal(self, most: int = 1000) -> int:
        """Extend the hash chain over audit rows not sealed yet; how many it sealed."""
        with atomically(self._runtime.engine) as connection:
            return connection.execute(text("select mesh.seal_audit(:most)"), {"most": most}).scalar() or 0

    def forget(self) -> None:
        """Drop records past their use: answered keys, finished deliveries with their events and effects."""
        now = clock.now()
        with atomically(self._runtime.engine) as connection:
            connection.execute(
                text("delete from mesh.idempotency where created_at < :until"), {"until": now - KEEP_IDEMPOTENCY}
            )
            old = {"until": now - KEEP_DONE}
            connection.execute(
                text(
                    "delete from mesh.effects e using mesh.deliveries d where d.id = e.delivery_id "
                    "and d.state = 'done' and d.done_at < :until and e.state <> 'parked'"
                ),
                old,
            )
            connection.execute(text("delete from mesh.deliveries where state = 'done' and done_at < :until"), old)
            connection.execute(
                text(
                    "delete from mesh.outbox o where o.fanned_at < :until "
                    "and not exists (select 1 from mesh.deliveries d where d.event_id = o.id)"
                ),
                old,
            )
            connection.execute(
                text(
                    "delete from mesh.inbox i where received_at < :until and not exists "
                    "(select 1 from mesh.outbox o where o.data ->> 'inbox_id' = cast(i.id as text))"
                ),
                old,
            )

    def _tick_row(self, function: str, minute: datetime) -> dict[str, Any]:
        id = stable("tick", function, minute.astimezone(UTC).isoformat())
        cause = outbox.Cause(id, None, None, "relay")
        return outbox.row(f"timer.{function}", {"minute": minute.isoformat()}, cause, id=id)

    def _beat(self) -> None:
        with atomically(self._runtime.engine) as connection:
            connection.execute(
                text(
                    "insert into mesh.heartbeats (part, at) values ('relay', :now) "
                    "on conflict (part) do update set at = excluded.at"
                ),
                {"now": clock.now()},
            )
