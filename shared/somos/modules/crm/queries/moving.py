"""Moves a deal through its life: asks the rules, writes state and history together, leaves a trace."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.mesh import Conflict, Context
from somos.modules.crm.queries import history
from somos.modules.crm.queries.activities import record
from somos.modules.crm.rules import deals as rules
from somos.modules.crm.schemas.deals import DealView, facts_of
from somos.modules.crm.tables import Company, Deal, DealStage, LostReason
from somos.policy.principals import Principal


def locked(ctx: Context, id: UUID, seen: int | None = None) -> tuple[Deal, bool]:
    """The deal for update, and whether somebody changed it since it was seen or while we waited.

    Raises NotFound, and Stale when If-Match names an older version.
    """
    if seen is None:
        seen = ctx.db.scalar(ctx.visible(Deal).with_only_columns(Deal.version).where(Deal.id == id))
    deal = ctx.get(Deal, id, lock=True)
    return deal, deal.version != seen


def lost_race(deal: Deal) -> Conflict:
    """Said to whom came second, with the deal as it is now."""
    return Conflict(
        "Outra pessoa mexeu neste negócio antes de você", code="deal-changed", fresh=DealView.model_validate(deal)
    )


def move(db: Session, deal: Deal, stage: DealStage, author: Principal, now: datetime) -> None:
    """To another stage of its pipeline; the same stage again changes nothing. Raises Conflict with the reason."""
    if deal.state == "open" and deal.stage_id == stage.id:
        return
    _refuse(deal, rules.refuse_move(facts_of(deal), stage.name, stage.pipeline_id, stage.required_fields))
    before = db.get_one(DealStage, deal.stage_id)
    history.enter(db, deal, stage.id, "open", now)
    deal.probability = stage.probability
    record(db, deal.id, "stage_change", f"{before.name} → {stage.name}", author, now)


def win(
    db: Session, deal: Deal, closed_on: date | None, override: str | None, author: Principal, now: datetime
) -> None:
    """Raises Conflict that names everything missing."""
    day = closed_on or deal.expected_close_date
    document = db.scalar(select(Company.document).where(Company.id == deal.company_id))
    # No module makes budgets yet, so none can be accepted: every win gives its reason.
    _refuse(deal, rules.refuse_win(facts_of(deal), document, day, False, override))
    history.enter(db, deal, deal.stage_id, "won", now)
    deal.closed_at, deal.closed_on, deal.probability, deal.win_override_reason = now, day, 100, override
    record(db, deal.id, "stage_change", "Negócio ganho", author, now, body=override)


def lose(
    db: Session, deal: Deal, reason: LostReason, note: str | None, author: Principal, now: datetime, today: date
) -> None:
    """Raises Conflict unless it is open."""
    _refuse(deal, rules.refuse_lose(facts_of(deal)))
    history.enter(db, deal, deal.stage_id, "lost", now)
    deal.closed_at, deal.closed_on, deal.probability = now, today, 0
    deal.lost_reason_id, deal.lost_note = reason.id, note
    record(db, deal.id, "stage_change", f"Negócio perdido: {reason.name}", author, now, body=note)


def reopen(
    db: Session, deal: Deal, reason: str, expected: date, may_reopen_won: bool, author: Principal, now: datetime
) -> None:
    """Back to the stage it stood in. Raises Conflict with the reason."""
    # Contracts come with their module; until then none can be signed.
    _refuse(deal, rules.refuse_reopen(facts_of(deal), may_reopen_won, contract_signed=False))
    stage = db.get_one(DealStage, deal.stage_id)
    history.enter(db, deal, deal.stage_id, "open", now)
    deal.closed_at = deal.closed_on = deal.lost_reason_id = deal.lost_note = deal.win_override_reason = None
    deal.expected_close_date, deal.probability = expected, stage.probability
    record(db, deal.id, "stage_change", "Negócio reaberto", author, now, body=reason)


def _refuse(deal: Deal, refusal: rules.Refusal | None) -> None:
    if refusal is not None:
        raise Conflict(refusal.reason, code=refusal.code, fresh=DealView.model_validate(deal))
