"""All that a verdict on a lead is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.kernel.keys import CompanyKeys, PersonKeys
from somos.mesh.clock import day_of
from somos.modules.hunter.queries.icp_profiles import criteria
from somos.modules.hunter.queries.lead_enrichment import standing
from somos.modules.hunter.queries.lead_sources import facts_of
from somos.modules.hunter.rules.evidence import Line, evidence_of, fingerprint
from somos.modules.hunter.rules.facts import Fact, company_keys
from somos.modules.hunter.rules.icp_profiles import Icp
from somos.modules.hunter.rules.limits import CONTACTED_RECENTLY_DAYS
from somos.modules.hunter.rules.rubric import Criterion, Rubric, needs_asking, rubric_of
from somos.modules.hunter.tables.lead_scores import LeadScore
from somos.modules.hunter.tables.leads import Lead
from somos.modules.relations.queries import addresses, parties


@dataclass(frozen=True, slots=True)
class Marks:
    """What we already are to this company or person. Any of these keeps it out of a cadence."""

    suppressed: bool
    relationship: Literal["client", "open_deal"] | None
    last_contact_at: datetime | None
    contacted_recently: bool

    @property
    def refusal(self) -> str | None:
        """Why it is not to be written to, as a sentence."""
        if self.suppressed:
            return "A pessoa pediu para não receber contato."
        if self.relationship == "client":
            return "Já é cliente."
        if self.relationship == "open_deal":
            return "Já tem negociação aberta."
        if self.contacted_recently and self.last_contact_at is not None:
            day = day_of(self.last_contact_at)
            return f"Foi contatada em {day:%d/%m/%Y}, há menos de {CONTACTED_RECENTLY_DAYS} dias."
        return None


@dataclass(frozen=True, slots=True)
class Case:
    """All that a verdict is made of; `open_criteria` are the criteria somebody has to read the evidence for."""

    icp: Icp
    rubric: Rubric
    facts: list[Fact]
    lines: list[Line]
    open_criteria: list[Criterion]

    @property
    def evidence_hash(self) -> str:
        return fingerprint(self.facts)


def marks(db: Session, keys: CompanyKeys, now: datetime) -> Marks:
    person = addresses.person_of(db, PersonKeys(keys.phone, keys.email))
    last = person.last_contact_at
    return Marks(
        suppressed=person.suppressed,
        relationship=parties.relationship(db, keys),
        last_contact_at=last,
        contacted_recently=last is not None and now - last < timedelta(days=CONTACTED_RECENTLY_DAYS),
    )


def case_of(db: Session, lead_id: UUID, now: datetime) -> Case | None:
    """The case of a lead that waits for its verdict; None when there is nothing to judge (or not now).

    The gate of the paid look-up: nothing is asked for a lead that we refuse anyway, and nothing twice for the
    same evidence.
    """
    lead = db.get(Lead, lead_id)
    if lead is None or lead.state != "enriching" or standing(db, lead) != "running":
        return None
    icp = criteria(db, lead.icp_id, lead.icp_number)
    rubric = rubric_of(icp)
    facts = facts_of(db, lead_id)
    lines = evidence_of(facts, rubric.keywords)
    open_criteria = needs_asking(rubric, icp, facts)
    if not lines or judged(db, lead_id, rubric, facts) or marks(db, company_keys(facts), now).refusal:
        open_criteria = []
    return Case(icp, rubric, facts, lines, open_criteria)


def judged(db: Session, lead_id: UUID, rubric: Rubric, facts: Sequence[Fact]) -> LeadScore | None:
    statement = select(LeadScore).where(
        LeadScore.lead_id == lead_id,
        LeadScore.rubric_version == rubric.version,
        LeadScore.evidence_hash == fingerprint(facts),
    )
    return db.scalars(statement).first()


def newest_score(db: Session, lead_id: UUID) -> LeadScore | None:
    """The judgement that counts."""
    of_lead = select(LeadScore).where(LeadScore.lead_id == lead_id)
    return db.scalars(of_lead.order_by(LeadScore.id.desc()).limit(1)).first()
