"""Deliveries that failed for good: seen, and tried again by a person."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, text

from somos.mesh import Context, Filter, NotFound, Page, View, http
from somos.mesh.records import Delivery, Outbox


class DeadFilter(Filter):
    """Newest first, of one function or one type of event."""

    table = Delivery
    sort: Literal["-id", "id"] = "-id"
    function: str | None = None
    type: str | None = None


class DeadView(View):
    """A delivery that was given up, and why."""

    id: UUID
    type: str
    function: str
    queue: str
    attempts: int
    last_error: str | None
    dead_at: datetime | None


class DeadDetail(DeadView):
    """With the event, and the chain that leads back to what began it."""

    data: dict[str, Any]
    occurred_at: datetime
    correlation: UUID
    causation: UUID | None
    actor_id: UUID | None
    emitted_by: str


_REPLAY = text(
    "update mesh.deliveries set state = 'due', attempts = 0, due_at = :now, dead_at = null "
    "where id = :id and state = 'dead' returning type"
)


@http.get("/api/v1/mesh/dead", allow="mesh:read")
def dead_list(filter: DeadFilter, ctx: Context) -> Page[DeadView]:
    """What was given up after its last attempt."""
    return ctx.page(select(Delivery).where(Delivery.state == "dead", *filter.clauses()), DeadView)


@http.get("/api/v1/mesh/dead/{id}", allow="mesh:read")
def dead_get(id: UUID, ctx: Context) -> DeadDetail:
    """One of them, with its event."""
    row = ctx.db.execute(
        select(Delivery, Outbox)
        .join(Outbox, Outbox.id == Delivery.event_id)
        .where(Delivery.id == id, Delivery.state == "dead")
    ).first()
    if row is None:
        raise NotFound
    delivery, event = row
    return DeadDetail.model_validate({**_plain(event), **_plain(delivery)})


@http.post("/api/v1/mesh/dead/{id}/replay", allow="dead.replay", status=204)
def dead_replay(id: UUID, ctx: Context) -> None:
    """Try it again from the first attempt; the relay wakes its queue within a second."""
    with ctx.as_system() as db:  # deliveries are the mesh's own to change
        replayed = db.scalar(_REPLAY, {"id": id, "now": ctx.now})
    if replayed is None:
        raise NotFound("Não há entrega morta com este id")
    ctx.log.info("dead_delivery_replayed", delivery=id, by=ctx.principal.id)


def _plain(row: Delivery | Outbox) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}
