"""Deals of the sales pipeline: made, changed, moved, won, lost and opened again."""

from uuid import UUID

from somos.events.crm import DealOpened, DealWon
from somos.mesh import Context, Page, http
from somos.modules.crm.actions import deals as actions
from somos.modules.crm.actions.owners import check_owner, owner_of
from somos.modules.crm.actions.taggings import tag_many
from somos.modules.crm.rules import deals as rules
from somos.modules.crm.schemas.deals import (
    BulkDone,
    BulkEdit,
    DealCriteria,
    DealDraft,
    DealLose,
    DealMove,
    DealPatch,
    DealReopen,
    DealView,
    DealWin,
)
from somos.modules.crm.tables.deals import Deal


@http.get("/api/v1/deals", allow="crm:read")
def deals_list(filter: DealCriteria, ctx: Context) -> Page[DealView]:
    return ctx.page(ctx.chosen(filter), DealView)


@http.get("/api/v1/deals/{id}", allow="crm:read")
def deals_get(id: UUID, ctx: Context) -> DealView:
    return ctx.show(ctx.get(Deal, id), DealView)


@http.post("/api/v1/deals", allow="crm:write")
def deals_create(draft: DealDraft, ctx: Context) -> DealView:
    actions.check_links(ctx, draft)
    deal = actions.open_deal(ctx, actions.stage_of(ctx, draft), draft, owner_id=owner_of(ctx, draft))
    ctx.emit(DealOpened(deal_id=deal.id, owner_id=deal.owner_id))
    return ctx.show(deal, DealView)


@http.patch("/api/v1/deals/{id}", allow="crm:write")
def deals_patch(id: UUID, patch: DealPatch, ctx: Context) -> DealView:
    deal = ctx.get(Deal, id, lock=True)
    if patch.model_fields_set:
        rules.check_change(actions.facts_of(deal))
    check_owner(ctx, patch, deal.owner_id)
    actions.check_links(ctx, patch)
    return ctx.show(actions.change(ctx, deal, patch), DealView)


@http.delete("/api/v1/deals/{id}", allow="crm:write")
def deals_delete(id: UUID, ctx: Context) -> None:
    deal = ctx.get(Deal, id, lock=True)
    rules.check_delete(actions.facts_of(deal))
    actions.delete(ctx, deal)


@http.post("/api/v1/deals/{id}/move", allow="crm:write", status=200)
def deals_move(id: UUID, to: DealMove, ctx: Context) -> DealView:
    """To another stage. Who moves a card that somebody else just moved gets a conflict and the fresh deal."""
    return ctx.show(actions.move_card(ctx, id, to), DealView)


@http.post("/api/v1/deals/{id}/win", allow="crm:write", status=200)
def deals_win(id: UUID, how: DealWin, ctx: Context) -> DealView:
    deal = actions.win(ctx, actions.locked(ctx, id), how)
    assert deal.company_id is not None  # a guard of winning
    ctx.emit(DealWon(deal_id=deal.id, company_id=deal.company_id))
    return ctx.show(deal, DealView)


@http.post("/api/v1/deals/{id}/lose", allow="crm:write", status=200)
def deals_lose(id: UUID, why: DealLose, ctx: Context) -> DealView:
    return ctx.show(actions.lose(ctx, actions.locked(ctx, id), why), DealView)


@http.post("/api/v1/deals/{id}/reopen", allow="crm:write", status=200)
def deals_reopen(id: UUID, why: DealReopen, ctx: Context) -> DealView:
    """A lost deal by its owner; a won one by the direction."""
    return ctx.show(actions.reopen(ctx, actions.locked(ctx, id), why), DealView)


@http.post("/api/v1/deals/bulk", allow="crm:write", status=200)
def deals_bulk(edit: BulkEdit, ctx: Context) -> BulkDone:
    """Many at once: all of them, or none."""
    changed = actions.change_many(ctx, edit)
    tag_many(ctx, edit.ids, edit.changes.add_tag_ids or [], edit.changes.remove_tag_ids or [])
    return BulkDone(changed=changed)
