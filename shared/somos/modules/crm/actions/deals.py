"""Opens deals and moves them through their life: state, history and activity together."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from somos.mesh import Conflict, Context
from somos.mesh.ids import uuid7
from somos.modules.crm.actions import deal_stage_history as history
from somos.modules.crm.actions.companies import company_of, name_of
from somos.modules.crm.actions.company_contacts import link
from somos.modules.crm.actions.contacts import contact_of
from somos.modules.crm.actions.deal_activities import record
from somos.modules.crm.queries.deal_stages import first_stage
from somos.modules.crm.rules import deals as rules
from somos.modules.crm.rules.deals import DealFacts, State
from somos.modules.crm.schemas.deals import DealView
from somos.modules.crm.tables import Company, Deal, DealStage, LostReason
from somos.policy.principals import Principal

if TYPE_CHECKING:
    from somos.modules.hunter.queries.leads import LeadCard


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new deal holds."""

    title: str
    stage: DealStage
    owner_id: UUID | None
    company_id: UUID | None = None
    contact_id: UUID | None = None
    value_cents: int = 0
    expected_close_date: date | None = None
    lead_id: UUID | None = None
    campaign_id: UUID | None = None
    origin: str = "manual"


def open_deal(db: Session, opening: Opening, now: datetime) -> Deal:
    """The deal and the first span of its history."""
    deal = new_deal(opening, now)
    db.add(deal)
    db.flush()
    db.add(history.first_span(deal))
    return deal


def new_deal(opening: Opening, now: datetime) -> Deal:
    """A deal at its stage, not stored yet; whoever stores it stores `history.first_span` after it."""
    return Deal(
        id=uuid7(),
        title=opening.title,
        pipeline_id=opening.stage.pipeline_id,
        stage_id=opening.stage.id,
        stage_entered_at=now,
        state="open",
        owner_id=opening.owner_id,
        company_id=opening.company_id,
        contact_id=opening.contact_id,
        value_cents=opening.value_cents,
        probability=opening.stage.probability,
        expected_close_date=opening.expected_close_date,
        lead_id=opening.lead_id,
        campaign_id=opening.campaign_id,
        origin=opening.origin,
        created_at=now,
    )


def open_from_lead(
    db: Session, lead: "LeadCard", owner_id: UUID, campaign_id: UUID | None, now: datetime
) -> Deal | None:
    """Company, contact and deal of an accepted lead; None when its deal exists already."""
    lock_keys(db, [lead.id, lead.cnpj, lead.domain, lead.phone, lead.email])
    if db.scalar(select(exists().where(Deal.lead_id == lead.id))):
        return None
    company, contact = company_of(db, lead, owner_id), contact_of(db, lead, owner_id)
    link(db, company.id, contact.id, "contato")
    opening = Opening(
        title=name_of(lead),
        stage=first_stage(db),
        owner_id=owner_id,
        company_id=company.id,
        contact_id=contact.id,
        lead_id=lead.id,
        campaign_id=campaign_id,
        origin="lead",
    )
    return open_deal(db, opening, now)


def lock_keys(db: Session, values: Iterable[object]) -> None:
    """Until the transaction ends, nobody else opens anything for these keys. Sorted, so two never deadlock."""
    for value in sorted({f"crm:{value}" for value in values if value}):
        db.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": value})


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


def facts_of(deal: Deal) -> DealFacts:
    """What the guards of the state machine look at."""
    held = {
        "value_cents": deal.value_cents > 0,
        "company_id": deal.company_id is not None,
        "contact_id": deal.contact_id is not None,
        "expected_close_date": deal.expected_close_date is not None,
        "owner_id": deal.owner_id is not None,
    }
    present = frozenset(name for name, holds in held.items() if holds)
    state = cast(State, deal.state)  # the CHECK of the column says so
    return DealFacts(state=state, pipeline_id=deal.pipeline_id, present=present, lead_id=deal.lead_id)
