"""What keeps the house small: the audit trail sealed, records past their use forgotten, a batch at a time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import TextClause, text

from somos.mesh import clock
from somos.mesh.database import alone, atomically
from somos.mesh.outbox import changed

KEEP_ANSWERS = timedelta(days=2)
KEEP_DONE = timedelta(days=30)
# Small enough that nobody waits behind one, and so many in a minute that a busy house is kept up with.
BATCH = 500
BATCHES = 20
SEALS = 1000

_ANSWERS = text("""
delete from mesh.idempotency where (principal_id, key) in (
    select principal_id, key from mesh.idempotency where created_at < :until
    order by created_at limit :most for update skip locked
)
""")
# A call that waits for a person keeps its delivery, so that it can be traced back.
_DELIVERIES = text("""
with old as (
    select d.id from mesh.deliveries d
    where d.state = 'done' and d.done_at < :until
      and not exists (select 1 from mesh.effects e where e.delivery_id = d.id and e.state = 'parked')
    order by d.done_at limit :most for update skip locked
), calls as (
    delete from mesh.effects e using old where e.delivery_id = old.id
)
delete from mesh.deliveries d using old where d.id = old.id
""")
_CALLS = text("""
delete from mesh.effects where (delivery_id, name) in (
    select e.delivery_id, e.name from mesh.effects e
    where e.finished_at < :until and e.state <> 'parked'
      and not exists (select 1 from mesh.deliveries d where d.id = e.delivery_id)
    order by e.finished_at limit :most for update skip locked
)
""")
_EVENTS = text("""
delete from mesh.outbox where id in (
    select o.id from mesh.outbox o
    where o.fanned_at < :until and not exists (select 1 from mesh.deliveries d where d.event_id = o.id)
    order by o.fanned_at limit :most for update skip locked
)
""")
# A report's own event begins a chain under the report's id (somos.mesh.webhooks).
_REPORTS = text("""
delete from mesh.inbox where id in (
    select i.id from mesh.inbox i
    where i.received_at < :until and not exists (
        select 1 from mesh.outbox o where o.correlation = i.id and o.type = 'inbox.' || i.function
    )
    order by i.received_at limit :most for update skip locked
)
""")


def seal(engine: Any) -> int:
    """Extend the hash chain over all audit rows not sealed yet; how many."""
    return _until_fewer(SEALS, lambda: _counted(engine, "select mesh.seal_audit(:most)", SEALS))


def forgetting(engine: Any) -> dict[str, Callable[[], int]]:
    """What forgets which records, by name; each says how many it forgot and leaves the rest for its next turn."""

    def old(statement: TextClause, keep: timedelta) -> Callable[[], int]:
        return lambda: _until_fewer(BATCH, lambda: _forget(engine, statement, keep))

    return {
        "forget-answers": old(_ANSWERS, KEEP_ANSWERS),
        "forget-deliveries": old(_DELIVERIES, KEEP_DONE),
        "forget-calls": old(_CALLS, KEEP_DONE),
        "forget-events": old(_EVENTS, KEEP_DONE),
        "forget-reports": old(_REPORTS, KEEP_DONE),
        "forget-audit": lambda: _until_fewer(BATCH, lambda: _counted(engine, "select mesh.forget_audit(:most)", BATCH)),
    }


def _forget(engine: Any, statement: TextClause, keep: timedelta) -> int:
    with alone(engine) as connection:
        return changed(connection.execute(statement, {"until": clock.now() - keep, "most": BATCH}))


def _counted(engine: Any, question: str, most: int) -> int:
    with atomically(engine) as connection:
        return connection.execute(text(question), {"most": most}).scalar() or 0


def _until_fewer(batch: int, once: Callable[[], int]) -> int:
    total = 0
    for _ in range(BATCHES):
        total += (count := once())
        if count < batch:
            break
    return total
