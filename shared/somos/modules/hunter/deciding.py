"""What people decide of a lead: good, not for this campaign, never again; which of two stays; what is true."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from somos.mesh.problems import Conflict
from somos.modules.hunter import enriching, identity, judging
from somos.modules.hunter.queries.facts import add_facts, facts_of, show
from somos.modules.hunter.rules.facts import company_keys, fact
from somos.modules.hunter.rules.states import LEAD_NAMES, UNSETTLED, NotAllowed, move_lead
from somos.modules.hunter.rules.twins import may_be_one
from somos.modules.hunter.tables import Lead, LeadLabel, MergeSuggestion


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
        against = judging.marks(db, company_keys(facts_of(db, lead.id)), now).refusal
        if against is not None:
            raise Conflict(against, code="lead-not-contactable")
        if reason is None:
            raise NotAllowed("Este lead foi recusado: diga por que ele serve.")
        lead.state, lead.refusal = move_lead(lead.state, "qualified"), None
    elif lead.state == "scored":
        lead.state = move_lead(lead.state, "qualified")
    elif lead.state in (*UNSETTLED, "duplicate", "blocked", "erased"):
        raise NotAllowed(f"Um lead {LEAD_NAMES[lead.state]} não pode ser aceito.")
    label(db, lead, "accepted", reason, by)


def reject(db: Session, lead: Lead, reason: str, by: UUID) -> None:
    """Not for this campaign: in no export and no send of it."""
    lead.state, lead.refusal = move_lead(lead.state, "rejected_campaign"), reason
    label(db, lead, "rejected", reason, by)


def never_contact(db: Session, lead: Lead, reason: str, by: UUID) -> None:
    """Never again, for any campaign. There is no way back."""
    if lead.state != "blocked":
        lead.state = move_lead(lead.state, "blocked")
    lead.refusal = reason
    label(db, lead, "never_contact", reason, by)


def correct(db: Session, lead: Lead, values: dict[str, str], secret: str, now: datetime) -> None:
    """Values a person gives win over every source. A key that is another lead's is refused."""
    facts = [item for field, value in values.items() for item in fact(field, value, "person", "edit", None, now)]
    hashes = identity.hashes_of(secret, facts)
    others = [other for other in identity.owners(db, hashes).values() if other.id != lead.id]
    if others:
        raise Conflict("Este dado já é de outro lead.", code="lead-exists", fresh={"lead_id": str(others[0].id)})
    add_facts(db, lead.id, facts)
    identity.claim(db, [(lead.id, hash_, key) for hash_, key in hashes.items()])
    show(lead, facts_of(db, lead.id))


def merge(db: Session, suggestion: MergeSuggestion, survivor_id: UUID, by: UUID) -> list[Lead]:
    """One of the two becomes the duplicate of the other; both histories stay. The leads that ended by it."""
    pair = identity.lock_leads(db, [suggestion.lead_id, suggestion.other_id])
    survivor = pair[survivor_id]
    other = next(lead for id, lead in pair.items() if id != survivor_id)
    if survivor.state in ("duplicate", "blocked", "erased"):
        raise NotAllowed(f"O lead que ficaria está {LEAD_NAMES[survivor.state]}.")
    if not may_be_one(survivor.cnpj, other.cnpj):
        raise NotAllowed("Os dois leads têm CNPJs diferentes: são duas empresas.")
    unfinished = [other] if other.state in UNSETTLED else []
    enriching.absorb(db, other, survivor, are_late=True)
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
