"""Events on their way: written with what they state, fanned out to deliveries, claimed in batches."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from somos.mesh import clock
from somos.mesh.database import alone
from somos.mesh.events import Event
from somos.mesh.ids import uuid7
from somos.mesh.leases import LEASE
from somos.mesh.routes import Routes

BACKOFF_FIRST = timedelta(seconds=2)
BACKOFF_MOST = timedelta(minutes=30)


@dataclass(frozen=True)
class Cause:
    """Why something happens: the chain's first event, the event just before, and who began it."""

    correlation: UUID
    causation: UUID | None
    actor_id: UUID | None
    emitted_by: str
    traceparent: str | None = None


@dataclass
class Claim:
    """A delivery this worker may try until its lease ends, which is when it comes due again."""

    id: UUID
    event_id: UUID
    type: str
    function: str
    timeout: int
    attempts: int
    max_attempts: int
    due_at: datetime
    data: dict[str, Any]
    occurred_at: datetime
    correlation: UUID
    actor_id: UUID | None
    traceparent: str | None


def changed(result: Any) -> int:
    """How many rows a statement changed."""
    return int(result.rowcount)


_WRITE = text("""
insert into mesh.outbox (
    id, type, data, due_at, occurred_at, correlation, causation, actor_id, emitted_by, traceparent
)
select * from jsonb_to_recordset(cast(:rows as jsonb)) as e(
    id uuid, type text, data jsonb, due_at timestamptz, occurred_at timestamptz, correlation uuid, causation uuid,
    actor_id uuid, emitted_by text, traceparent text
)
on conflict do nothing
""")


def put(db: Session, events: Iterable[tuple[Event, datetime | None]], cause: Cause) -> None:
    """Write events in the caller's transaction."""
    write(db, rows(events, cause))


def rows(events: Iterable[tuple[Event, datetime | None]], cause: Cause) -> list[dict[str, Any]]:
    return [row(event.type, event.model_dump(mode="json"), cause, due_at=after) for event, after in events]


def write(db: Session | Connection, rows: list[dict[str, Any]]) -> None:
    """All in one statement; a row whose id is known already changes nothing."""
    if rows:
        db.execute(_WRITE, {"rows": json.dumps(rows, default=str)})


def row(
    type_: str, data: dict[str, Any], cause: Cause, *, due_at: datetime | None = None, id: UUID | None = None
) -> dict[str, Any]:
    """One outbox row; a given `id` makes the event idempotent (ticks, webhooks)."""
    now = clock.now()
    return {
        "id": id or uuid7(),
        "type": type_,
        "data": data,
        "due_at": due_at or now,
        "occurred_at": now,
        "correlation": cause.correlation,
        "causation": cause.causation,
        "actor_id": cause.actor_id,
        "emitted_by": cause.emitted_by,
        "traceparent": cause.traceparent,
    }


# The statements below only note who tries what: PostgreSQL need not wait for the disk (`synchronous_commit`), since
# what a crash forgets of them is done again, while nothing a handler committed is ever ahead of them on disk.
_FAN_OUT = text("""
with fresh as (
    select id, type, due_at from mesh.outbox
    where fanned_at is null order by id limit :most for update skip locked
), subscriptions as (
    select * from jsonb_to_recordset(cast(:routes as jsonb))
        as s(type text, function text, queue text, timeout int, attempts int)
), made as (
    insert into mesh.deliveries (id, event_id, type, function, queue, due_at, timeout, max_attempts)
    select cast(md5(fresh.id::text || s.function || s.type) as uuid),
           fresh.id, fresh.type, s.function, s.queue, fresh.due_at, s.timeout, s.attempts
    from fresh join subscriptions s on s.type = fresh.type
    on conflict do nothing
)
update mesh.outbox set fanned_at = :now
where id in (select id from fresh) and (select set_config('synchronous_commit', 'off', true)) = 'off'
""")

_CLAIM = text("""
with next as (
    select id from mesh.deliveries
    where queue = :queue and state = 'due' and due_at <= :now
    order by due_at limit :most for update skip locked
), claimed as (
    update mesh.deliveries d
    set attempts = attempts + 1, due_at = :until
    from next where d.id = next.id and (select set_config('synchronous_commit', 'off', true)) = 'off'
    returning d.id, d.event_id, d.type, d.function, d.timeout, d.attempts, d.max_attempts, d.due_at
)
select c.*, o.data, o.occurred_at, o.correlation, o.actor_id, o.traceparent
from claimed c join mesh.outbox o on o.id = c.event_id
""")

# A lease that is not as it was given belongs to somebody else by now, or was put off. Rows that are locked are
# being finished, or are looked at again at the next renewal.
_RENEW = text("""
with held as (
    select d.id from mesh.deliveries d
    join unnest(cast(:ids as uuid[]), cast(:dues as timestamptz[])) as given(id, due_at)
        on given.id = d.id and given.due_at = d.due_at
    where d.state = 'due' for update of d skip locked
)
update mesh.deliveries d set due_at = :until
from held where d.id = held.id and (select set_config('synchronous_commit', 'off', true)) = 'off'
returning d.id
""")

_PUT_BACK = text("""
update mesh.deliveries set attempts = attempts - 1, due_at = :due_at, last_error = :why
where id = :id and state = 'due' and attempts = :attempts
""")

_FAIL = text("""
update mesh.deliveries
set last_error = :error,
    due_at = :due_at,
    state = case when attempts >= max_attempts then 'dead' else 'due' end,
    dead_at = case when attempts >= max_attempts then cast(:now as timestamptz) end
where id = :id and state = 'due' and attempts = :attempts
returning state
""")


def fan_out(engine: Any, routes: Routes, most: int = 500) -> int:
    """Make one delivery per consumer of each new event. Any number of processes may do it at once."""
    with alone(engine) as connection:
        return connection.execute(_FAN_OUT, {"most": most, "routes": routes.subscribed, "now": clock.now()}).rowcount


def claim(engine: Any, queue: str, most: int, lease: timedelta = LEASE) -> list[Claim]:
    """Take due deliveries; until the lease ends nobody else will try them."""
    now = clock.now()
    with alone(engine) as connection:
        rows = connection.execute(_CLAIM, {"queue": queue, "now": now, "most": most, "until": now + lease}).mappings()
        return [Claim(**row) for row in rows]


def renew(engine: Any, claims: list[Claim], lease: timedelta = LEASE) -> None:
    """Keep what is still being worked on; what came due for somebody else meanwhile stays theirs."""
    until = clock.now() + lease
    with alone(engine) as connection:
        renewed = set(
            connection.execute(
                _RENEW,
                {"ids": [one.id for one in claims], "dues": [one.due_at for one in claims], "until": until},
            ).scalars()
        )
    for one in claims:
        if one.id in renewed:
            one.due_at = until


def put_back(engine: Any, claimed: Claim, why: str, after: timedelta) -> None:
    """It was never tried: due again soon, and no attempt is spent."""
    with alone(engine) as connection:
        connection.execute(
            _PUT_BACK,
            {"id": claimed.id, "attempts": claimed.attempts, "due_at": clock.now() + after, "why": why[:2000]},
        )


def fail(engine: Any, claimed: Claim, error: str) -> str | None:
    """Note a failed attempt: due again later, or dead after the last. Returns the new state."""
    with alone(engine) as connection:
        return connection.execute(
            _FAIL,
            {
                "id": claimed.id,
                "error": error[:2000],
                "now": clock.now(),
                "due_at": clock.now() + backoff(claimed.attempts),
                "attempts": claimed.attempts,
            },
        ).scalar()


# From one queue to the next in the index, and one look into each, however much is due.
_DUE_QUEUES = text("""
with recursive queues as (
    (select queue from mesh.deliveries where state = 'due' order by queue limit 1)
    union all
    select (select d.queue from mesh.deliveries d where d.state = 'due' and d.queue > q.queue order by d.queue limit 1)
    from queues q where q.queue is not null
)
select queue from queues
where exists (select 1 from mesh.deliveries d where d.state = 'due' and d.queue = queues.queue and d.due_at <= :now)
""")


def due_queues(engine: Any) -> list[str]:
    """Queues with work that should have been taken by now."""
    with alone(engine) as connection:
        return list(connection.execute(_DUE_QUEUES, {"now": clock.now()}).scalars())


def replay(engine: Any, delivery_id: UUID) -> bool:
    """Try a dead delivery again from the start. False when it is not dead."""
    with alone(engine) as connection:
        return bool(
            connection.execute(
                text(
                    "update mesh.deliveries set state = 'due', attempts = 0, due_at = :now, dead_at = null "
                    "where id = :id and state = 'dead'"
                ),
                {"id": delivery_id, "now": clock.now()},
            ).rowcount
        )


def backoff(attempts: int) -> timedelta:
    """2 s, 4 s, 8 s ... at most half an hour."""
    return min(BACKOFF_FIRST * float(2 ** (attempts - 1)), BACKOFF_MOST)
