"""Forgetting a company: what it was is gone, its keyed hashes stay, so that it is still known as forgotten."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from somos.mesh import clock
from somos.modules.hunter import identity
from somos.modules.hunter.queries.facts import COLUMNS, facts_of
from somos.modules.hunter.rules.limits import RETENTION_DAYS
from somos.modules.hunter.rules.states import NEVER_CONTACTED, UNSETTLED, move_lead
from somos.modules.hunter.tables import (
    Lead,
    LeadLabel,
    LeadOrigin,
    LeadScore,
    LeadSource,
    MergeSuggestion,
    SearchPage,
)

PURGE_AT_ONCE = 500


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


def erase(db: Session, lead: Lead, why: str, secret: str, now: datetime | None = None) -> None:
    """Erase a lead: `request` keeps its hashes from ever being taken in again, `retention` frees them."""
    hashes = identity.hashes_of(secret, facts_of(db, lead.id))
    identity.claim(db, [(lead.id, hash_, key) for hash_, key in hashes.items()])
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
    lead.state = move_lead(lead.state, "erased")
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
