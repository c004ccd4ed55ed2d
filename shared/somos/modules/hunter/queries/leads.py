"""A lead as other modules see it: plain values, no rows."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from somos.kernel.keys import CompanyKeys
from somos.modules.hunter.queries.lead_sources import facts_of_all
from somos.modules.hunter.rules.evidence import evidence_of
from somos.modules.hunter.rules.facts import Fact
from somos.modules.hunter.tables.lead_keys import LeadKey
from somos.modules.hunter.tables.lead_scores import LeadScore
from somos.modules.hunter.tables.leads import Lead

MAX_EVIDENCE = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that was read of the company, in its own words where it has any."""

    field: str
    value: str
    quote: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class LeadCard:
    """Who a lead is, what it is worth and why."""

    id: UUID
    company_name: str | None
    contact_name: str | None
    contact_role: str | None
    email: str | None
    phone: str | None
    domain: str | None
    cnpj: str | None
    city: str | None
    uf: str | None
    score: int | None
    state: str
    reason: str | None
    evidence: list[Evidence]
    owner_id: UUID | None


def lead_card(db: Session, lead_id: UUID) -> LeadCard | None:
    """One lead with what is said of it: first what its score quotes, then what else was read."""
    return lead_cards(db, [lead_id]).get(lead_id)


def lead_cards(db: Session, ids: Collection[UUID]) -> dict[UUID, LeadCard]:
    """The same for any number of leads at once, by id; those that do not exist are left out."""
    leads = db.scalars(select(Lead).where(Lead.id.in_(ids))).all()
    newest = select(LeadScore).where(LeadScore.lead_id.in_(ids)).ext(distinct_on(LeadScore.lead_id))
    scores = {score.lead_id: score for score in db.scalars(newest.order_by(LeadScore.lead_id, LeadScore.id.desc()))}
    facts = facts_of_all(db, ids)
    return {lead.id: _card(lead, scores.get(lead.id), facts.get(lead.id, [])) for lead in leads}


def _card(lead: Lead, score: LeadScore | None, facts: list[Fact]) -> LeadCard:
    return LeadCard(
        id=lead.id,
        company_name=lead.company_name,
        contact_name=lead.contact_name,
        contact_role=lead.contact_role,
        email=lead.email,
        phone=lead.phone,
        domain=lead.domain,
        cnpj=lead.cnpj,
        city=lead.city,
        uf=lead.uf,
        score=lead.score,
        state=lead.state,
        reason=lead.reason,
        evidence=_evidence(score, facts),
        owner_id=lead.owner_id,
    )


@dataclass(frozen=True, slots=True)
class LeadStanding:
    """What a lead came to, and by which keys its company is known."""

    state: str
    keys: CompanyKeys


def lead_standing(db: Session, lead_id: UUID) -> LeadStanding | None:
    """One lead without what is said of it."""
    columns = select(Lead.state, Lead.cnpj, Lead.domain, Lead.phone, Lead.email)
    row = db.execute(columns.where(Lead.id == lead_id)).first()
    return LeadStanding(row.state, CompanyKeys.of(*row[1:])) if row is not None else None


def lead_states(db: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The state of each of these leads that exists."""
    rows = db.execute(select(Lead.id, Lead.state).where(Lead.id.in_(list(ids))))
    return {row.id: row.state for row in rows}


def person_keys(db: Session, lead_id: UUID) -> dict[str, str]:
    """Keyed hashes of a lead's phones and e-mails, and which of the two each is; they outlive its erasure."""
    statement = select(LeadKey.hash, LeadKey.kind).where(
        LeadKey.lead_id == lead_id, LeadKey.kind.in_(("phone", "email"))
    )
    return {row.hash: row.kind for row in db.execute(statement)}


def _evidence(score: LeadScore | None, facts: list[Fact]) -> list[Evidence]:
    quoted = [
        Evidence(criterion["id"], criterion["value"] or criterion["quote"], criterion["quote"], criterion["url"])
        for criterion in (score.criteria if score else [])
        if criterion["quote"] and criterion["by"] == "model"
    ]
    known = {item.quote for item in quoted}
    read = [
        Evidence(line.field, line.text, line.text, line.url) for line in evidence_of(facts) if line.text not in known
    ]
    return [*quoted, *read][:MAX_EVIDENCE]
