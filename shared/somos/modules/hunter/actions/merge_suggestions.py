"""Two leads that may be one: suggested to a person, and made one by a person or by a key that both hold."""

from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from somos.kernel.refusals import NotAllowed
from somos.modules.hunter.actions import lead_keys, leads
from somos.modules.hunter.actions.lead_sources import add_facts, show
from somos.modules.hunter.queries.lead_sources import facts_of
from somos.modules.hunter.rules.facts import late
from somos.modules.hunter.rules.leads import LEAD, TWINS, UNSETTLED
from somos.modules.hunter.rules.merge_suggestions import Named, may_be_one, suggestions
from somos.modules.hunter.tables.lead_origins import LeadOrigin
from somos.modules.hunter.tables.leads import Lead
from somos.modules.hunter.tables.merge_suggestions import MergeSuggestion

MAX_ALIKE = 200


def merge(db: Session, suggestion: MergeSuggestion, survivor_id: UUID, by: UUID) -> list[Lead]:
    """One of the two becomes the duplicate of the other; both histories stay. The leads that ended by it."""
    pair = leads.lock_leads(db, [suggestion.lead_id, suggestion.other_id])
    survivor = pair[survivor_id]
    other = next(lead for id, lead in pair.items() if id != survivor_id)
    if survivor.state in ("duplicate", "blocked", "erased"):
        raise NotAllowed(f"O lead que ficaria está {LEAD.names[survivor.state]}.", code="lead-state")
    if not may_be_one(survivor.cnpj, other.cnpj):
        raise NotAllowed("Os dois leads têm CNPJs diferentes: são duas empresas.", code="lead-state")
    unfinished = [other] if other.state in UNSETTLED else []
    absorb(db, other, survivor, are_late=True)
    show(survivor, facts_of(db, survivor.id))
    suggestion.state, suggestion.decided_by = "merged", by
    for gone in db.scalars(
        select(MergeSuggestion).where(
            MergeSuggestion.state == "open",
            MergeSuggestion.id != suggestion.id,
            or_(MergeSuggestion.lead_id == other.id, MergeSuggestion.other_id == other.id),
        )
    ):
        gone.state, gone.decided_by = "dismissed", by
    return unfinished


def absorb(db: Session, lead: Lead, into: Lead, *, are_late: bool) -> None:
    """One lead becomes the duplicate of another, which gets its keys, its origins and what was known of it."""
    if "duplicate" not in LEAD.moves[lead.state]:
        LEAD.move(lead.state, "duplicate")
    facts = facts_of(db, lead.id)
    add_facts(db, into.id, late(facts) if are_late else facts)
    lead_keys.hand_over(db, lead.id, into.id)
    db.execute(update(LeadOrigin).where(LeadOrigin.lead_id == lead.id).values(lead_id=into.id))
    db.execute(update(Lead).where(Lead.duplicate_of == lead.id).values(duplicate_of=into.id))
    lead.duplicate_of = into.id
    lead.state = LEAD.move(lead.state, "duplicate")


def suggest(db: Session, lead: Lead) -> None:
    """Leads alike in name in the same city are put before a person."""
    if not lead.company_name or not lead.city:
        return
    alike = select(Lead).where(
        Lead.city_key == lead.city_key,
        Lead.name_words.overlap(lead.name_words),
        Lead.state.in_(TWINS),
        Lead.id != lead.id,
    )
    others = [_named(other) for other in db.scalars(alike.order_by(Lead.id).limit(MAX_ALIKE))]
    for other_id, likeness in suggestions(_named(lead), others):
        pair = sorted([lead.id, other_id])
        known = select(MergeSuggestion.id).where(
            MergeSuggestion.lead_id == pair[0], MergeSuggestion.other_id == pair[1]
        )
        if db.scalars(known).first() is None:
            db.add(MergeSuggestion(lead_id=pair[0], other_id=pair[1], likeness=likeness))


def _named(lead: Lead) -> Named:
    return Named(lead.id, lead.company_name or "", lead.city, lead.cnpj)
