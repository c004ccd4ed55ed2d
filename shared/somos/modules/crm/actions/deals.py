"""Opens deals and moves them through their life: state, history and activity together."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import exists, select

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Invalid, NotFound
from somos.modules.crm.actions import parties
from somos.modules.crm.actions.companies import company_of, name_of
from somos.modules.crm.actions.company_contacts import link
from somos.modules.crm.actions.contacts import contact_of
from somos.modules.crm.actions.deal_activities import record
from somos.modules.crm.actions.deal_stage_history import enter, first_span
from somos.modules.crm.actions.owners import check_owner
from somos.modules.crm.queries.deal_stages import NoPipeline, first_stage
from somos.modules.crm.rules import deals as rules
from somos.modules.crm.schemas.deals import BulkEdit, DealDraft, DealLose, DealMove, DealPatch, DealReopen, DealWin
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deal_stages import DealStage
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.lost_reasons import LostReason
from somos.policy.grants import allows

if TYPE_CHECKING:
    from somos.modules.hunter.queries.leads import LeadCard


def open_deal(ctx: Context, stage: DealStage, draft: DealDraft | None = None, **values: Any) -> Deal:
    """The deal at its stage, and the first span of its history."""
    deal = ctx.create(Deal, draft, **placed(stage, ctx.now), **values)
    ctx.db.add(first_span(deal))
    parties.restate(ctx, deal.company_id, deal.contact_id)
    return deal


def placed(stage: DealStage, now: datetime) -> dict[str, Any]:
    """What a new deal holds by standing in this stage; whoever stores it stores its first span after it."""
    return {
        "pipeline_id": stage.pipeline_id,
        "stage_id": stage.id,
        "stage_entered_at": now,
        "state": "open",
        "probability": stage.probability,
        "created_at": now,
    }


def open_from_lead(ctx: Context, lead: "LeadCard", owner_id: UUID, campaign_id: UUID | None) -> Deal | None:
    """Company, contact and deal of an accepted lead; None when its deal exists already."""
    # Whoever else opens something for the same lead, company or person waits.
    ctx.lock("crm.identity", [str(lead.id), lead.cnpj, lead.domain, lead.phone, lead.email])
    if ctx.db.scalar(select(exists().where(Deal.lead_id == lead.id))):
        return None
    company, contact = company_of(ctx, lead, owner_id), contact_of(ctx, lead, owner_id)
    link(ctx.db, company.id, contact.id, "contato")
    return open_deal(
        ctx,
        first_stage(ctx.db),
        title=name_of(lead),
        owner_id=owner_id,
        company_id=company.id,
        contact_id=contact.id,
        lead_id=lead.id,
        campaign_id=campaign_id,
        origin="lead",
    )


def stage_of(ctx: Context, draft: DealDraft) -> DealStage:
    """Where the draft's deal starts. Raises Invalid when there is no such place."""
    if draft.stage_id is None:
        try:
            return first_stage(ctx.db, draft.pipeline_id)
        except NoPipeline:
            raise Invalid("Não há funil ativo com etapas", field="pipeline_id") from None
    stage = ctx.get(DealStage, draft.stage_id)
    if draft.pipeline_id not in (None, stage.pipeline_id):
        raise Invalid("Esta etapa pertence a outro funil", field="stage_id")
    return stage


def check_links(ctx: Context, sent: BaseModel) -> None:
    """A deal is about a company and a person that its author can see."""
    for field, table in (("company_id", Company), ("contact_id", Contact)):
        id = getattr(sent, field)
        if id is not None:
            ctx.linked(table, id, field)


def locked(ctx: Context, id: UUID) -> Deal:
    """The deal for update.

    Raises NotFound, Stale when If-Match names an older version, NotAllowed when somebody changed it while we waited.
    """
    deal, changed = _locked(ctx, id)
    if changed:
        raise _lost_race()
    return deal


def move_card(ctx: Context, id: UUID, to: DealMove) -> Deal:
    """Who moves a card that somebody else just moved, seen in `to.version` or while we waited, is refused."""
    deal, changed = _locked(ctx, id, to.version)
    stage = ctx.get(DealStage, to.stage_id)
    if changed and not _stands_in(deal, stage):
        raise _lost_race()
    return move(ctx, deal, stage)


def move(ctx: Context, deal: Deal, stage: DealStage, **values: Any) -> Deal:
    """To another stage of its pipeline, changing `values` too; into the same stage nothing moves.

    Raises NotAllowed with the reason, as all of these do.
    """
    if _stands_in(deal, stage):
        return ctx.change(deal, **values)
    rules.check_move(facts_of(deal), stage.name, stage.pipeline_id, stage.required_fields)
    before = ctx.db.get_one(DealStage, deal.stage_id)
    enter(ctx.db, deal, stage.id, "open", ctx.now)
    ctx.change(deal, **({"probability": stage.probability} | values))
    record(ctx, deal.id, "stage_change", f"{before.name} → {stage.name}")
    return deal


def change(ctx: Context, deal: Deal, patch: DealPatch) -> Deal:
    before = (deal.company_id, deal.contact_id)
    ctx.change(deal, patch)
    if (deal.company_id, deal.contact_id) != before:
        parties.restate(ctx, *before, deal.company_id, deal.contact_id)
    return deal


def delete(ctx: Context, deal: Deal) -> None:
    ctx.db.delete(deal)
    parties.restate(ctx, deal.company_id, deal.contact_id)


def win(ctx: Context, deal: Deal, how: DealWin) -> Deal:
    """Refused with everything that is missing."""
    day, override = how.closed_on or deal.expected_close_date, how.override_reason
    document = ctx.db.scalar(select(Company.document).where(Company.id == deal.company_id))
    # No module makes budgets yet, so none can be accepted: every win gives its reason.
    rules.check_win(facts_of(deal), document, day, False, override)
    _enter(ctx, deal, "won", closed_at=ctx.now, closed_on=day, probability=100, win_override_reason=override)
    record(ctx, deal.id, "stage_change", "Negócio ganho", body=override)
    return deal


def lose(ctx: Context, deal: Deal, why: DealLose) -> Deal:
    reason = ctx.get(LostReason, why.lost_reason_id)
    rules.check_lose(facts_of(deal))
    ending = {"probability": 0, "lost_reason_id": reason.id, "lost_note": why.note}
    _enter(ctx, deal, "lost", closed_at=ctx.now, closed_on=ctx.today, **ending)
    record(ctx, deal.id, "stage_change", f"Negócio perdido: {reason.name}", body=why.note)
    return deal


def reopen(ctx: Context, deal: Deal, why: DealReopen) -> Deal:
    """Back to the stage it stood in: a lost deal by its owner, a won one by the direction."""
    # Contracts come with their module; until then none can be signed.
    rules.check_reopen(facts_of(deal), allows(ctx.principal, "deal.reopen_won"), contract_signed=False)
    chances = ctx.db.get_one(DealStage, deal.stage_id).probability
    ended = ("closed_at", "closed_on", "lost_reason_id", "lost_note", "win_override_reason")
    again = {"expected_close_date": why.expected_close_date, "probability": chances}
    _enter(ctx, deal, "open", **dict.fromkeys(ended), **again)
    record(ctx, deal.id, "stage_change", "Negócio reaberto", body=why.reason)
    return deal


def change_many(ctx: Context, edit: BulkEdit) -> int:
    """All of these deals, or none: one that cannot be seen or a move that a stage refuses, and nothing changes."""
    changes = edit.changes.model_dump(exclude_unset=True, exclude={"stage_id", "add_tag_ids", "remove_tag_ids"})
    stage = ctx.get(DealStage, edit.changes.stage_id) if edit.changes.stage_id else None
    ids = set(edit.ids)
    # In one order, so that two bulk edits never wait for each other.
    rows = ctx.visible(Deal).where(Deal.id.in_(ids)).order_by(Deal.id).with_for_update(of=Deal)
    deals = ctx.db.scalars(rows).all()
    if len(deals) != len(ids):
        raise NotFound("Um dos negócios não foi encontrado; nada foi alterado")
    for deal in deals:
        check_owner(ctx, edit.changes, deal.owner_id)
        if deal.state != "open" and (changes or stage):
            raise NotAllowed(f"“{deal.title}” está encerrado; nada foi alterado", code="deal-closed")
        if stage is not None:
            move(ctx, deal, stage, **changes)
        else:
            ctx.change(deal, **changes)
    return len(deals)


def facts_of(deal: Deal) -> rules.DealFacts:
    """What the guards of the state machine look at."""
    present = {
        "value_cents": deal.value_cents > 0,
        "company_id": deal.company_id is not None,
        "contact_id": deal.contact_id is not None,
        "expected_close_date": deal.expected_close_date is not None,
        "owner_id": deal.owner_id is not None,
    }
    names = frozenset(name for name, is_there in present.items() if is_there)
    return rules.DealFacts(deal.state, deal.pipeline_id, names, deal.lead_id)


def _locked(ctx: Context, id: UUID, seen: int | None = None) -> tuple[Deal, bool]:
    """The deal for update, and whether somebody changed it since it was seen or while we waited."""
    if seen is None:
        seen = ctx.db.scalar(ctx.visible(Deal).with_only_columns(Deal.version).where(Deal.id == id))
    deal = ctx.get(Deal, id, lock=True)
    return deal, deal.version != seen


def _lost_race() -> NotAllowed:
    return NotAllowed("Outra pessoa mexeu neste negócio antes de você", code="deal-changed")


def _stands_in(deal: Deal, stage: DealStage) -> bool:
    return deal.state == "open" and deal.stage_id == stage.id


def _enter(ctx: Context, deal: Deal, state: str, **values: Any) -> None:
    """Into another state, in the stage it stands in; written at once, as the database checks them together."""
    enter(ctx.db, deal, deal.stage_id, state, ctx.now)
    ctx.change(deal, **values)
    parties.restate(ctx, deal.company_id, deal.contact_id)
