"""What becomes of a lead: what people decide, what outreach and the pipeline state, and what is forgotten."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from somos.kernel.refusals import NotAllowed
from somos.mesh import clock
from somos.mesh.problems import Conflict
from somos.modules.hunter.actions import lead_keys
from somos.modules.hunter.actions.lead_sources import add_facts, show
from somos.modules.hunter.queries.lead_scores import marks
from somos.modules.hunter.queries.lead_sources import COLUMNS, facts_of
from somos.modules.hunter.rules.facts import company_keys, fact
from somos.modules.hunter.rules.leads import (
    LEAD,
    NEVER_CONTACTED,
    UNSETTLED,
    after_acceptance,
    after_deal,
    after_reply,
    after_sending,
    wakes_on,
)
from somos.modules.hunter.rules.limits import RETENTION_DAYS
from somos.modules.hunter.tables.lead_keys import LeadKey
from somos.modules.hunter.tables.lead_labels import LeadLabel
from somos.modules.hunter.tables.lead_origins import LeadOrigin
from somos.modules.hunter.tables.lead_scores import LeadScore
from somos.modules.hunter.tables.lead_sources import LeadSource
from somos.modules.hunter.tables.leads import Lead
from somos.modules.hunter.tables.merge_suggestions import MergeSuggestion
from somos.modules.hunter.tables.search_pages import SearchPage

PURGE_AT_ONCE = 500


def lock_leads(db: Session, ids: Iterable[UUID]) -> dict[UUID, Lead]:
    """These leads, locked in one order, as they are now."""
    statement = (
        select(Lead)
        .where(Lead.id.in_(sorted(set(ids))))
        .order_by(Lead.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {lead.id: lead for lead in db.scalars(statement)}


def lock_lead(db: Session, id: UUID) -> Lead | None:
    """One lead, locked, as it is now."""
    return lock_leads(db, [id]).get(id)


@dataclass(frozen=True, slots=True)
class Ended:
    """A lead that a search still worked on when it ended."""

    lead_id: UUID
    session_id: UUID | None


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge erased, and which of them a search still worked on."""

    erased: list[UUID]
    ended: list[Ended]


def label(db: Session, lead: Lead, decision: str, reason: str | None, by: UUID) -> None:
    """Keep the decision beside what the lead was worth then."""
    db.add(
        LeadLabel(
            lead_id=lead.id,
            decision=decision,
            reason=reason,
            decided_by=by,
            score=lead.score,
            icp_id=lead.icp_id,
            icp_number=lead.icp_number,
            source=lead.source,
        )
    )


def accept(db: Session, lead: Lead, reason: str | None, by: UUID, now: datetime) -> None:
    """A person says the lead is good; one that was refused is qualified after all, with a reason."""
    if lead.state == "rejected_campaign":
        against = marks(db, company_keys(facts_of(db, lead.id)), now).refusal
        if against is not None:
            raise NotAllowed(against, code="lead-not-contactable")
        if reason is None:
            raise NotAllowed("Este lead foi recusado: diga por que ele serve.", code="lead-state")
        lead.state, lead.refusal = LEAD.move(lead.state, "qualified"), None
    elif lead.state == "scored":
        lead.state = LEAD.move(lead.state, "qualified")
    elif lead.state in (*UNSETTLED, "duplicate", "blocked", "erased"):
        raise NotAllowed(f"Um lead {LEAD.names[lead.state]} não pode ser aceito.", code="lead-state")
    label(db, lead, "accepted", reason, by)


def reject(db: Session, lead: Lead, reason: str, by: UUID) -> None:
    """Not for this campaign: in no export and no send of it."""
    lead.state, lead.refusal = LEAD.move(lead.state, "rejected_campaign"), reason
    label(db, lead, "rejected", reason, by)


def never_contact(db: Session, lead: Lead, reason: str, by: UUID) -> None:
    """Never again, for any campaign. There is no way back."""
    if lead.state != "blocked":
        lead.state = LEAD.move(lead.state, "blocked")
    lead.refusal = reason
    label(db, lead, "never_contact", reason, by)


def correct(db: Session, lead: Lead, values: dict[str, str], secret: str, now: datetime) -> None:
    """Values a person gives win over every source. A key that is another lead's is refused."""
    facts = [item for field, value in values.items() for item in fact(field, value, "person", "edit", None, now)]
    hashes = lead_keys.hashes_of(secret, facts)
    others = [other for other in lead_keys.owners(db, hashes).values() if other.id != lead.id]
    if others:
        raise Conflict("Este dado já é de outro lead.", code="lead-exists", fresh={"lead_id": str(others[0].id)})
    add_facts(db, lead.id, facts)
    lead_keys.claim(db, [(lead.id, hash_, key) for hash_, key in hashes.items()])
    show(lead, facts_of(db, lead.id))


def _walk(lead: Lead, path: Iterable[str]) -> None:
    for state in path:
        lead.state = LEAD.move(lead.state, state)


def message_sent(db: Session, lead_id: UUID, now: datetime) -> None:
    """Somebody wrote to the lead."""
    lead = lock_lead(db, lead_id)
    if lead is not None and lead.state != "erased":
        lead.last_contact_at = now
        _walk(lead, after_sending(lead.state))


def reply_classified(db: Session, lead_id: UUID, label: str, today: date, later_date: date | None = None) -> None:
    """Somebody answered; `later_date` is the day they named."""
    lead = lock_lead(db, lead_id)
    if lead is None:
        return
    _walk(lead, after_reply(lead.state, label))
    if lead.state == label == "later":
        lead.later_until = wakes_on(later_date, today)
    elif lead.state == "blocked" and lead.refusal is None:
        lead.refusal = "A pessoa pediu para não receber contato."


def accepted(db: Session, lead_id: UUID, owner_id: UUID) -> None:
    """The conversation was handed to its owner."""
    lead = lock_lead(db, lead_id)
    if lead is not None and lead.state != "erased":
        lead.owner_id = owner_id
        _walk(lead, after_acceptance(lead.state))


def deal_opened(db: Session, lead_id: UUID, deal_id: UUID) -> None:
    """The lead has its deal; only ever one."""
    lead = lock_lead(db, lead_id)
    if lead is None or lead.deal_id is not None or lead.state == "erased":
        return
    lead.deal_id = deal_id
    lead.relationship = "open_deal"
    db.flush()
    _walk(lead, after_deal(lead.state))


def deal_won(db: Session, deal_id: UUID) -> None:
    """The lead is a client."""
    for lead in db.scalars(select(Lead).where(Lead.deal_id == deal_id).with_for_update(key_share=True)):
        lead.relationship = "client"


def suppressed(db: Session, person_key: str) -> list[Ended]:
    """Block every lead that holds this address; those a search still worked on are returned."""
    holders = db.scalars(select(LeadKey.lead_id).where(LeadKey.hash == person_key)).all()
    return block(db, holders, "A pessoa pediu para não receber contato.")


def block(db: Session, ids: Collection[UUID], refusal: str) -> list[Ended]:
    """Never contact these leads and their duplicates; those a search still worked on are returned."""
    twins = db.scalars(select(Lead.id).where(Lead.duplicate_of.in_(ids))).all()
    ended = []
    for lead in lock_leads(db, [*ids, *twins]).values():
        if lead.state in ("blocked", "erased"):
            continue
        if lead.state in UNSETTLED:
            ended.append(Ended(lead.id, lead.session_id))
        lead.state = LEAD.move(lead.state, "blocked")
        lead.refusal = refusal
    return ended


def wake(db: Session, today: date) -> None:
    """Leads whose day has come may be written to again."""
    due = select(Lead).where(Lead.state == "later", Lead.later_until <= today).order_by(Lead.id).limit(500)
    for lead in db.scalars(due.with_for_update(key_share=True, skip_locked=True)):
        lead.state = LEAD.move(lead.state, "qualified")
        lead.later_until = None


def erase(db: Session, lead: Lead, why: str, secret: str, now: datetime | None = None) -> None:
    """Erase a lead: `request` keeps its hashes from ever being taken in again, `retention` frees them."""
    hashes = lead_keys.hashes_of(secret, facts_of(db, lead.id))
    lead_keys.claim(db, [(lead.id, hash_, key) for hash_, key in hashes.items()])
    for table in (LeadSource, LeadScore, LeadOrigin):
        db.execute(delete(table).where(table.lead_id == lead.id))
    db.execute(
        delete(MergeSuggestion).where((MergeSuggestion.lead_id == lead.id) | (MergeSuggestion.other_id == lead.id))
    )
    db.execute(update(LeadLabel).where(LeadLabel.lead_id == lead.id).values(reason=None))
    for name in COLUMNS:
        setattr(lead, name, None)
    lead.employees = None
    lead.reason = lead.refusal = None
    lead.state = LEAD.move(lead.state, "erased")
    lead.erased_why = why
    lead.erased_at = now or clock.now()


def erase_twins(db: Session, lead: Lead, secret: str, now: datetime) -> list[UUID]:
    """What the person asks for one lead holds for its duplicates too."""
    erased = []
    for twin in db.scalars(select(Lead).where(Lead.duplicate_of == lead.id, Lead.state != "erased")):
        erase(db, twin, "request", secret, now)
        erased.append(twin.id)
    return erased


def purge(db: Session, today: date, secret: str, now: datetime) -> Purged:
    """Erase leads nobody wrote to whose time is over, and results nobody took."""
    over = (
        select(Lead)
        .where(Lead.retain_until < today, Lead.state.in_(NEVER_CONTACTED))
        .order_by(Lead.id)
        .limit(PURGE_AT_ONCE)
        .with_for_update(key_share=True, skip_locked=True)
    )
    purged = Purged([], [])
    for lead in db.scalars(over):
        purged.erased.append(lead.id)
        if lead.state in UNSETTLED:
            purged.ended.append(Ended(lead.id, lead.session_id))
        erase(db, lead, "retention", secret, now)
    left = update(SearchPage).where(SearchPage.wanted_at < now - timedelta(days=RETENTION_DAYS), SearchPage.rest != [])
    db.execute(left.values(rest=[]).execution_options(synchronize_session=False))
    return purged
