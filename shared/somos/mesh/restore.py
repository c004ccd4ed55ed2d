"""After a restore the outside is ahead of the database: what may already have left waits for a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from somos.mesh import outbox
from somos.mesh.declare import Consumer, Function
from somos.mesh.effects import MAY_BE_PARKED
from somos.mesh.queues import MESSAGES
from somos.mesh.routes import Routes

WHY = "restaurado de um backup: pode já ter acontecido lá fora; confira antes de tentar de novo"

_OUTWARD = f"(d.queue = '{MESSAGES.name}' or d.function || ' ' || d.type = any(:outward))"
_HOLD = text(f"""
update mesh.deliveries d set state = 'dead', dead_at = :now, last_error = :why
where d.state = 'due' and {_OUTWARD}
""")  # noqa: S608
_PARK = text(f"""
update mesh.effects e
set state = 'parked', finished_at = :now,
    error = jsonb_build_object('code', 'restored', 'detail', cast(:why as text))
from mesh.deliveries d
where d.id = e.delivery_id and e.state = 'started' and {_OUTWARD}
""")  # noqa: S608
_VERIFY = text("select upto, broken from mesh.verify_audit(:since, :most)")
_NOTE = text("""
insert into mesh.heartbeats (part, at) values ('restored', :now)
on conflict (part) do update set at = excluded.at
""")


@dataclass(frozen=True)
class Waiting:
    """How much of the mesh waits for a person now."""

    deliveries: int
    effects: int


def hold(connection: Connection, functions: Iterable[Function], routes: Routes, now: datetime) -> Waiting:
    """Give up what was about to act on the outside, replayable by a person; park calls without an outcome.

    What only reads goes on by itself. Ticks of timers too: the next minute would tick again anyway.
    """
    while outbox.fan_out(connection, routes):
        pass
    outward = [f"{one.function} {one.type}" for one in consumers_outward(functions)]
    values: dict[str, Any] = {"outward": outward, "now": now, "why": WHY}
    dead_count = outbox.changed(connection.execute(_HOLD, values))
    parked = outbox.changed(connection.execute(_PARK, values))
    connection.execute(_NOTE, {"now": now})
    return Waiting(dead_count, parked)


def consumers_outward(functions: Iterable[Function]) -> list[Consumer]:
    """The steps and webhooks whose ports offer a call that must not be repeated blindly."""
    outward = []
    for function in functions:
        ticks = {timer.consumer for timer in function.timers}
        outward += [one for one in function.consumers if one not in ticks and any(map(_acts, one.calls))]
    return outward


def broken_audit(connection: Connection, step: int = 10_000) -> int | None:
    """The first audit row that is not as it was sealed (0: a seal out of place); None when the chain holds."""
    since, upto = -1, 0
    while upto > since:
        since = upto
        upto, broken = connection.execute(_VERIFY, {"since": since, "most": step}).one()
        if broken is not None:
            return int(broken)
    return None


def _acts(port: type) -> bool:
    operations = (getattr(port, name) for name in dir(port) if not name.startswith("_"))
    return any(getattr(one, "__unknown__", None) in MAY_BE_PARKED for one in operations)
