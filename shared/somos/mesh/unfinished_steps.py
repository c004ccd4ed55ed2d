"""Steps that did not come to their end: what somebody who finds work left behind has to know before settling it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

_OF_STEP = text("""
select data, false as dead, false as called from mesh.outbox where fanned_at is null and type = :type
union all
select o.data, false, exists (select from mesh.effects e where e.delivery_id = d.id and e.name = :effect)
from mesh.deliveries d join mesh.outbox o on o.id = d.event_id
where d.state = 'due' and d.function = :function and d.type = :type
union all
select o.data, true, exists (select from mesh.effects e where e.delivery_id = d.id and e.name = :effect)
from mesh.deliveries d join mesh.outbox o on o.id = d.event_id
where d.state = 'dead' and d.function = :function and d.type = :type
""")


@dataclass(frozen=True, slots=True)
class UnfinishedStep:
    """The event of a step; whether the mesh gave the step up; whether the journal knows of its outside call."""

    data: dict[str, Any]
    dead: bool
    called: bool


def unfinished_steps(db: Session, function: str, type: str, effect: str) -> list[UnfinishedStep]:
    """Every delivery of these events to a function that is due or dead. `effect` is the call's name in `ctx.once`."""
    rows = db.execute(_OF_STEP, {"function": function, "type": type, "effect": effect})
    return [UnfinishedStep(row.data, row.dead, row.called) for row in rows]
