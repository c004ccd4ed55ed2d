"""Many deals changed at once: all of them, or none."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from somos.mesh import Conflict, Context, Invalid, NotFound, http
from somos.mesh.ids import uuid7
from somos.modules.crm.actions import deals as actions
from somos.modules.crm.actions.owners import check_owner
from somos.modules.crm.schemas.deals import BulkChanges, BulkDone, BulkEdit
from somos.modules.crm.tables import Deal, DealStage, Tag, Tagging


@http.post("/api/v1/deals/bulk", allow="crm:write", status=200)
def deals_bulk(edit: BulkEdit, ctx: Context) -> BulkDone:
    """One id that cannot be seen, or one move that a stage refuses, and nothing changes."""
    changes = edit.changes.model_dump(exclude_unset=True, exclude={"stage_id", "add_tag_ids", "remove_tag_ids"})
    stage = ctx.get(DealStage, edit.changes.stage_id) if edit.changes.stage_id else None
    deals = _locked(ctx, set(edit.ids))
    for deal in deals:
        check_owner(ctx.db, ctx.principal, changes, deal.owner_id)
        if deal.state != "open" and (changes or stage):
            raise Conflict(f"“{deal.title}” está encerrado; nada foi alterado", code="deal-closed")
        if stage is not None:
            actions.move(ctx.db, deal, stage, ctx.principal, ctx.now)
        for name, value in changes.items():
            setattr(deal, name, value)
    ctx.db.flush()
    _tag(ctx, [deal.id for deal in deals], edit.changes)
    return BulkDone(changed=len(deals))


def _locked(ctx: Context, ids: set[UUID]) -> list[Deal]:
    # In one order, so that two bulk edits never wait for each other.
    rows = ctx.visible(Deal).where(Deal.id.in_(ids)).order_by(Deal.id).with_for_update(of=Deal)
    deals = list(ctx.db.scalars(rows))
    if len(deals) != len(ids):
        raise NotFound("Um dos negócios não foi encontrado; nada foi alterado")
    return deals


def _tag(ctx: Context, deal_ids: list[UUID], changes: BulkChanges) -> None:
    wanted = set(changes.add_tag_ids)
    if ctx.count(ctx.visible(Tag).where(Tag.id.in_(wanted))) != len(wanted):
        raise Invalid("Etiqueta não encontrada", field="changes.add_tag_ids")
    rows = [{"id": uuid7(), "tag_id": tag, "deal_id": deal} for tag in sorted(wanted) for deal in deal_ids]
    if rows:
        ctx.db.execute(insert(Tagging).values(rows).on_conflict_do_nothing())
    if changes.remove_tag_ids:
        marked = Tagging.deal_id.in_(deal_ids) & Tagging.tag_id.in_(changes.remove_tag_ids)
        ctx.db.execute(delete(Tagging).where(marked))
