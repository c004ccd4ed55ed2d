"""A lead follows what outreach and the pipeline state about it. Facts may come late, twice or out of order."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.hunter import identity
from somos.modules.hunter.erasing import Ended
from somos.modules.hunter.rules import states
from somos.modules.hunter.rules.states import UNSETTLED, move_lead
from somos.modules.hunter.tables import Lead, LeadKey


def _walk(lead: Lead, path: Iterable[str]) -> None:
    for state in path:
        lead.state = move_lead(lead.state, state)


def message_sent(db: Session, lead_id: UUID, now: datetime) -> None:
    """Somebody wrote to the lead."""
    lead = identity.lock_lead(db, lead_id)
    if lead is not None and lead.state != "erased":
        lead.last_contact_at = now
        _walk(lead, states.after_sending(lead.state))


def reply_classified(db: Session, lead_id: UUID, label: str, today: date, later_date: date | None = None) -> None:
    """Somebody answered; `later_date` is the day they named."""
    lead = identity.lock_lead(db, lead_id)
    if lead is None:
        return
    _walk(lead, states.after_reply(lead.state, label))
    if lead.state == label == "later":
        lead.later_until = states.wakes_on(later_date, today)
    elif lead.state == "blocked" and lead.refusal is None:
        lead.refusal = "A pessoa pediu para não receber contato."


def accepted(db: Session, lead_id: UUID, owner_id: UUID) -> None:
    """The conversation was handed to its owner."""
    lead = identity.lock_lead(db, lead_id)
    if lead is not None and lead.state != "erased":
        lead.owner_id = owner_id
        _walk(lead, states.after_acceptance(lead.state))


def deal_opened(db: Session, lead_id: UUID, deal_id: UUID) -> None:
    """The lead has its deal; only ever one."""
    lead = identity.lock_lead(db, lead_id)
    if lead is None or lead.deal_id is not None or lead.state == "erased":
        return
    lead.deal_id = deal_id
    lead.relationship = "open_deal"
    db.flush()
    _walk(lead, states.after_deal(lead.state))


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
    for lead in identity.lock_leads(db, [*ids, *twins]).values():
        if lead.state in ("blocked", "erased"):
            continue
        if lead.state in UNSETTLED:
            ended.append(Ended(lead.id, lead.session_id))
        lead.state = move_lead(lead.state, "blocked")
        lead.refusal = refusal
    return ended


def wake(db: Session, today: date) -> None:
    """Leads whose day has come may be written to again."""
    due = select(Lead).where(Lead.state == "later", Lead.later_until <= today).order_by(Lead.id).limit(500)
    for lead in db.scalars(due.with_for_update(key_share=True, skip_locked=True)):
        lead.state = move_lead(lead.state, "qualified")
        lead.later_until = None
