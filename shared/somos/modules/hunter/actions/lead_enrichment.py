"""What the company's own site and the registry add to a lead, and what that says of who it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.hunter.actions import lead_keys, leads
from somos.modules.hunter.actions.lead_sources import add_facts, show
from somos.modules.hunter.actions.leads import erase
from somos.modules.hunter.actions.merge_suggestions import absorb, suggest
from somos.modules.hunter.queries.lead_sources import facts_of
from somos.modules.hunter.rules.facts import Fact
from somos.modules.hunter.rules.leads import LEAD, TWINS, UNSETTLED
from somos.modules.hunter.rules.merge_suggestions import may_be_one
from somos.modules.hunter.tables.leads import Lead
from somos.modules.hunter.tables.search_sessions import SearchSession

Outcome = Literal["enriched", "duplicate", "blocked", "held", "nothing"]


@dataclass(frozen=True, slots=True)
class Settled:
    """A lead that ended by this step."""

    lead_id: UUID
    session_id: UUID | None
    outcome: Literal["duplicate", "blocked"]


def hold(db: Session, lead_id: UUID, state: str) -> bool:
    """The step for a lead in this state came while its search is paused: resuming states it again.

    False when the search goes on meanwhile, so that the step has to be taken after all.
    """
    lead = leads.lock_lead(db, lead_id)
    if lead is None or lead.state != state:
        return True
    session = db.scalars(
        select(SearchSession)
        .where(SearchSession.id == lead.session_id)
        .with_for_update(read=True)  # resuming waits for this, or this sees it resumed
        .execution_options(populate_existing=True)
    ).first()
    lead.held = session is not None and session.state == "paused"
    return session is not None and session.state != "running"


def enrich(
    db: Session, lead_id: UUID, learnt: Sequence[Fact], secret: str, unreached: Iterable[str] = ()
) -> tuple[Outcome, list[Settled]]:
    """Store what was learnt; the lead goes on, or turns out to be one we know, or one to leave alone.

    `unreached` never answered: the lead says so.
    """
    lead = leads.lock_lead(db, lead_id)
    if lead is None or lead.state != "discovered":
        return "nothing", []
    lead.unreached = sorted({*lead.unreached, *unreached})
    add_facts(db, lead.id, learnt)
    facts = facts_of(db, lead.id)
    show(lead, facts)
    hashes = lead_keys.hashes_of(secret, facts)
    lead_keys.claim(db, [(lead.id, hash_, key) for hash_, key in hashes.items()])
    owner_ids = {owner.id for owner in lead_keys.owners(db, hashes).values()} - {lead.id}
    settled: list[Settled] = []
    if owner_ids:
        others = leads.lock_leads(db, owner_ids | {lead.id})
        for other in sorted(others.values(), key=lambda other: (not lead_keys.is_refused(other), other.id)):
            if other.id == lead.id:
                continue
            if not may_be_one(lead.cnpj, other.cnpj) and not _is_refusal(lead, other):
                continue
            outcome = _join(db, lead, other, secret, settled)
            if outcome is not None:
                settled.append(Settled(lead.id, lead.session_id, outcome))
                return outcome, settled
    lead.state = LEAD.move(lead.state, "enriching")
    suggest(db, lead)
    return "enriched", settled


def _is_refusal(lead: Lead, other: Lead) -> bool:
    """A refused company's phone or e-mail is not written to, whoever else has it."""
    shared = (lead.phone is not None and lead.phone == other.phone) or (
        lead.email is not None and lead.email == other.email
    )
    return lead_keys.is_refused(other) and shared


def _join(
    db: Session, lead: Lead, other: Lead, secret: str, settled: list[Settled]
) -> Literal["duplicate", "blocked"] | None:
    """Make one of the two, by a rule that does not depend on who came first; None: the lead lives on."""
    if lead_keys.is_refused(other):
        if other.state == "erased":
            erase(db, lead, "request", secret)
        else:
            lead.state = LEAD.move(lead.state, "blocked")
            lead.refusal = "É a mesma empresa de um lead bloqueado."
        return "blocked"
    if other.state == "erased":
        lead_keys.hand_over(db, other.id, lead.id)
        return None
    if _survivor(lead, other) is lead:
        if other.state in UNSETTLED:
            settled.append(Settled(other.id, other.session_id, "duplicate"))
        absorb(db, other, lead, are_late=False)
        show(lead, facts_of(db, lead.id))
        return None
    absorb(db, lead, other, are_late=True)
    return "duplicate"


def _survivor(lead: Lead, other: Lead) -> Lead:
    """One that was already written to; else the one whose site is known; else the older."""
    if other.state not in TWINS:
        return other
    return min(lead, other, key=lambda one: (one.domain is None, one.id))
