"""The outbox's relay: wakes queues that have something due and ticks timers; in a thread beside it, housekeeping."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from somos.mesh import clock, heartbeats, housekeeping, outbox
from somos.mesh.clock_rollback import RollbackWatch
from somos.mesh.database import atomically
from somos.mesh.ids import stable
from somos.mesh.log import log
from somos.mesh.runtime import Runtime

PERIOD_S = 1.0

_KNOWN = text("select function, ticked_at from mesh.timers")
_TICKED = text("""
insert into mesh.timers (function, ticked_at)
select function, :minute from unnest(cast(:functions as text[])) as f(function)
on conflict (function) do update set ticked_at = excluded.ticked_at
""")


class Relay:
    """Any number may run at once; each turn is harmless to repeat."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stop = threading.Event()
        self._ticked: datetime | None = None
        self._kept: datetime | None = None
        self._rollback = RollbackWatch(runtime)
        self._turn_heartbeats = heartbeats.HeartbeatWriter(runtime)
        self._house_heartbeats = heartbeats.HeartbeatWriter(runtime)

    def run(self) -> None:
        """Turn once a period until stopped; housekeeping has a thread of its own."""
        housekeeper = threading.Thread(
            target=self._each_period, args=(self.keep_house,), name="housekeeping", daemon=True
        )
        housekeeper.start()
        self._each_period(self.turn)
        housekeeper.join(5)

    def stop(self) -> None:
        self._stop.set()

    def turn(self) -> None:
        """One round: new minutes tick, new events fan out, due queues are woken."""
        work = {"tick": self._tick_once_a_minute, "fan-out": self._fan_out, "wake": self._wake}
        succeeded = attempt({"clock-rollback": self._rollback.check, **work})
        self._turn_heartbeats.add(["relay", *succeeded])

    def keep_house(self) -> None:
        """One round: what was written is sealed; once a minute, records past their use are forgotten."""
        well = attempt({"seal": self.seal})
        if (minute := _minute()) != self._kept:
            well += attempt(housekeeping.forgetting(self._runtime.engine))
            self._kept = minute
        self._house_heartbeats.add(well)

    def seal(self) -> int:
        """Extend the hash chain over audit rows not sealed yet; how many it sealed."""
        return housekeeping.seal(self._runtime.engine)

    def tick(self, minute: datetime) -> list[str]:
        """State the tick of every timer due by this minute; a tick stated twice is one.

        A timer that was due while nobody looked ticks once, for the last minute that it missed.
        """
        ticks = self._runtime.routes.ticks
        with atomically(self._runtime.engine) as connection:
            known = {row.function: row.ticked_at for row in connection.execute(_KNOWN)}
            due = {tick.function: _due(tick.schedule, known.get(tick.function), minute) for tick in ticks}
            rows = [self._tick_row(function, at) for function, at in due.items() if at is not None]
            outbox.write(connection, rows)
            connection.execute(_TICKED, {"functions": list(due), "minute": minute})
        return [function for function, at in due.items() if at is not None]

    def _tick_once_a_minute(self) -> None:
        if (minute := _minute()) != self._ticked:
            self.tick(minute)
            self._ticked = minute

    def _fan_out(self) -> None:
        outbox.fan_out(self._runtime.engine, self._runtime.routes)

    def _wake(self) -> None:
        self._runtime.notifier.wake(outbox.due_queues(self._runtime.engine))

    def _tick_row(self, function: str, minute: datetime) -> dict[str, Any]:
        id = stable("tick", function, minute.astimezone(UTC).isoformat())
        cause = outbox.Cause(id, None, None, "relay")
        return outbox.row(f"timer.{function}", {"minute": minute.isoformat()}, cause, id=id)

    def _each_period(self, round_: Callable[[], None]) -> None:
        while not self._stop.is_set():
            attempt({"relay": round_})  # the relay outlives whatever fails in it
            self._stop.wait(PERIOD_S)


def attempt(parts: Mapping[str, Callable[[], object]]) -> list[str]:
    """Do each part; the names of those that went well. One that fails is logged and keeps nobody else from its turn."""
    well = []
    for name, part in parts.items():
        try:
            part()
            well.append(name)
        except SQLAlchemyError as error:
            log.warning("relay_database_unavailable", part=name, error=type(error).__name__)
        except Exception:
            log.exception("relay_part_failed", part=name)
    return well


def _minute() -> datetime:
    return clock.now().replace(second=0, microsecond=0)


def _due(schedule: str, ticked_at: datetime | None, minute: datetime) -> datetime | None:
    """The minute whose tick is to be stated: this one, or the last one that nobody looked at."""
    from croniter import croniter

    local = minute.astimezone(clock.SAO_PAULO)
    if croniter.match(schedule, local):
        return minute
    if ticked_at is None:
        return None
    last: datetime = croniter(schedule, local).get_prev(datetime)
    return last.astimezone(UTC) if last > ticked_at else None
