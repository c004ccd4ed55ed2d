"""What happens to a deal: it moves, is won, is lost, is opened again."""

from uuid import UUID

from somos.events.crm import DealWon
from somos.mesh import Context, http
from somos.modules.crm.actions import deals as actions
from somos.modules.crm.schemas.deals import DealLose, DealMove, DealReopen, DealView, DealWin
from somos.modules.crm.tables import DealStage, LostReason
from somos.policy.grants import allows


@http.post("/api/v1/deals/{id}/move", allow="crm:write", status=200)
def deals_move(id: UUID, to: DealMove, ctx: Context) -> DealView:
    """To another stage. Who moves a card that somebody else just moved gets a conflict and the fresh deal."""
    deal, changed = actions.locked(ctx, id, to.version)
    stage = ctx.get(DealStage, to.stage_id)
    already_there = deal.state == "open" and deal.stage_id == stage.id
    if changed and not already_there:
        raise actions.lost_race(deal)
    actions.move(ctx.db, deal, stage, ctx.principal, ctx.now)
    ctx.db.flush()
    return DealView.model_validate(deal)


@http.post("/api/v1/deals/{id}/win", allow="crm:write", status=200)
def deals_win(id: UUID, how: DealWin, ctx: Context) -> DealView:
    deal, changed = actions.locked(ctx, id)
    if changed:
        raise actions.lost_race(deal)
    actions.win(ctx.db, deal, how.closed_on, how.override_reason, ctx.principal, ctx.now)
    ctx.db.flush()
    assert deal.company_id is not None  # a guard of winning
    ctx.emit(DealWon(deal_id=deal.id, company_id=deal.company_id))
    return DealView.model_validate(deal)


@http.post("/api/v1/deals/{id}/lose", allow="crm:write", status=200)
def deals_lose(id: UUID, why: DealLose, ctx: Context) -> DealView:
    deal, changed = actions.locked(ctx, id)
    reason = ctx.get(LostReason, why.lost_reason_id)
    if changed:
        raise actions.lost_race(deal)
    actions.lose(ctx.db, deal, reason, why.note, ctx.principal, ctx.now, ctx.today)
    ctx.db.flush()
    return DealView.model_validate(deal)


@http.post("/api/v1/deals/{id}/reopen", allow="crm:write", status=200)
def deals_reopen(id: UUID, why: DealReopen, ctx: Context) -> DealView:
    """A lost deal by its owner; a won one by the direction."""
    deal, changed = actions.locked(ctx, id)
    if changed:
        raise actions.lost_race(deal)
    may_reopen_won = allows(ctx.principal, "deal.reopen_won")
    actions.reopen(ctx.db, deal, why.reason, why.expected_close_date, may_reopen_won, ctx.principal, ctx.now)
    ctx.db.flush()
    return DealView.model_validate(deal)
