"""A lead is judged: what is against it first, then the rubric; the verdict is written down with its reasons."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.kernel.keys import CompanyKeys, PersonKeys
from somos.mesh.clock import day_of
from somos.modules.crm import queries as crm
from somos.modules.hunter import identity
from somos.modules.hunter.enriching import standing
from somos.modules.hunter.queries.facts import facts_of
from somos.modules.hunter.queries.profiles import criteria
from somos.modules.hunter.rules.evidence import Line, evidence_of, fingerprint
from somos.modules.hunter.rules.facts import Fact, company_keys
from somos.modules.hunter.rules.icp import Icp
from somos.modules.hunter.rules.limits import CONTACTED_RECENTLY_DAYS
from somos.modules.hunter.rules.rubric import Answer, Criterion, Rubric, judge, needs_asking, rubric_of
from somos.modules.hunter.rules.states import move_lead
from somos.modules.hunter.tables import Lead, LeadScore
from somos.modules.sdr import queries as sdr

Outcome = Literal["qualified", "rejected", "blocked", "undecided"]
_NAMES: Final = {"site": "o site da empresa", "registry": "o cadastro da Receita", "model": "o modelo de linguagem"}


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
    """All that a verdict is made of; `asked` are the criteria somebody has to read the evidence for."""

    icp: Icp
    rubric: Rubric
    facts: list[Fact]
    lines: list[Line]
    asked: list[Criterion]

    @property
    def evidence_hash(self) -> str:
        return fingerprint(self.facts)


def marks(db: Session, keys: CompanyKeys, now: datetime) -> Marks:
    """Ask the pipeline and outreach what they know of these keys."""
    person = PersonKeys(keys.phone, keys.email, keys.domain)
    last = sdr.last_contact_at(db, person)
    return Marks(
        suppressed=sdr.is_suppressed(db, person),
        relationship=crm.relationship(db, keys),
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
    asked = needs_asking(rubric, icp, facts)
    if not lines or _judged(db, lead_id, rubric, facts) or marks(db, company_keys(facts), now).refusal:
        asked = []
    return Case(icp, rubric, facts, lines, asked)


def _judged(db: Session, lead_id: UUID, rubric: Rubric, facts: Sequence[Fact]) -> LeadScore | None:
    found = select(LeadScore).where(
        LeadScore.lead_id == lead_id,
        LeadScore.rubric_version == rubric.version,
        LeadScore.evidence_hash == fingerprint(facts),
    )
    return db.scalars(found).first()


def settle(
    db: Session,
    lead_id: UUID,
    case: Case,
    said: Sequence[Answer],
    *,
    now: datetime,
    model: str | None = None,
    prompt_version: str | None = None,
    unanswered: bool = False,
) -> tuple[Lead, Outcome] | None:
    """Write the verdict; None when somebody else settled the lead meanwhile.

    `unanswered`: the model was asked and gave no usable answer. Then what code knows may qualify or exclude the
    lead, and otherwise a person decides.
    """
    lead = identity.lock_lead(db, lead_id)
    if lead is None or lead.state != "enriching":
        return None
    found = marks(db, company_keys(case.facts), now)
    lead.relationship, lead.last_contact_at, lead.refusal = found.relationship, found.last_contact_at, found.refusal
    if found.suppressed:
        lead.state = move_lead(lead.state, "blocked")
        return lead, "blocked"
    if found.refusal is not None:
        lead.state = move_lead(lead.state, "rejected_campaign")
        return lead, "rejected"
    score = _judged(db, lead_id, case.rubric, case.facts) or _score(db, lead, case, said, model, prompt_version)
    if unanswered:
        lead.unreached = sorted({*lead.unreached, "model"})
    lead.score, lead.reason, lead.refusal = score.total, _with_unreached(score.reason, lead.unreached), score.exclusion
    lead.state = move_lead(lead.state, "scored")
    db.flush()
    if unanswered and not score.qualified and score.exclusion is None:
        return lead, "undecided"
    lead.state = move_lead(lead.state, "qualified" if score.qualified else "rejected_campaign")
    return lead, "qualified" if score.qualified else "rejected"


def _with_unreached(reason: str, unreached: Sequence[str]) -> str:
    """The reason, and what it lacks."""
    if not unreached:
        return reason
    return f"{reason} Não responderam: {', '.join(_NAMES[name] for name in unreached)}."


def _score(
    db: Session, lead: Lead, case: Case, said: Sequence[Answer], model: str | None, prompt_version: str | None
) -> LeadScore:
    verdict = judge(case.rubric, case.icp, case.facts, case.lines, said)
    score = LeadScore(
        lead_id=lead.id,
        icp_id=lead.icp_id,
        icp_number=lead.icp_number,
        rubric_version=case.rubric.version,
        evidence_hash=case.evidence_hash,
        criteria=[asdict(criterion) for criterion in verdict.criteria],
        total=verdict.total,
        qualified=verdict.qualified,
        exclusion=verdict.exclusion,
        reason=verdict.reason,
        model=model,
        prompt_version=prompt_version,
    )
    db.add(score)
    return score
