"""A lead is judged: the model fills the criteria, code sums them, and the verdict is kept with its reasons."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from somos.modules.hunter.actions import leads
from somos.modules.hunter.prompts import text_of
from somos.modules.hunter.queries.lead_scores import Case, judged, marks
from somos.modules.hunter.rules.evidence import Line
from somos.modules.hunter.rules.facts import company_keys
from somos.modules.hunter.rules.leads import LEAD, SOURCE_NAMES
from somos.modules.hunter.rules.rubric import Answer, Answered, Criterion, judge
from somos.modules.hunter.tables.lead_scores import LeadScore
from somos.modules.hunter.tables.leads import Lead
from somos.ports.llm import Prompt, section


class CriterionAnswer(BaseModel):
    """One criterion, filled."""

    id: str
    answer: Answered
    value: str | None = None
    quote: str | None = None


class RubricAssessment(BaseModel):
    """Every criterion asked about; nobody sums here."""

    criteria: list[CriterionAnswer] = Field(description="Um item por critério, com o id dado")


def prompt_for(criteria: Iterable[Criterion], lines: Iterable[Line]) -> Prompt:
    """The criteria and the evidence, each in a section that what it holds cannot close."""
    questions = "\n".join(f"{one.id} | {one.question} | {','.join(one.keywords)}" for one in criteria)
    known = "\n".join(str(line).replace("\n", " ") for line in lines)
    return Prompt(
        name="hunter.qualify",
        system=text_of("qualify"),
        user=f"{section('criterios', questions)}\n\n{section('evidencias', known)}",
    )


def answers_in(output: dict[str, Any]) -> list[Answer]:
    """What the model said, cut to a size a person can read."""
    criteria = RubricAssessment.model_validate(output).criteria
    return [
        Answer(one.id, one.answer, (one.value or "")[:200] or None, (one.quote or "")[:500] or None) for one in criteria
    ]


Outcome = Literal["qualified", "rejected", "blocked", "undecided"]


def settle(
    db: Session,
    lead_id: UUID,
    case: Case,
    answers: Sequence[Answer],
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
    lead = leads.lock_lead(db, lead_id)
    if lead is None or lead.state != "enriching":
        return None
    known = marks(db, company_keys(case.facts), now)
    lead.relationship, lead.last_contact_at, lead.refusal = known.relationship, known.last_contact_at, known.refusal
    if known.suppressed:
        lead.state = LEAD.move(lead.state, "blocked")
        return lead, "blocked"
    if known.refusal is not None:
        lead.state = LEAD.move(lead.state, "rejected_campaign")
        return lead, "rejected"
    score = judged(db, lead_id, case.rubric, case.facts) or _score(db, lead, case, answers, model, prompt_version)
    if unanswered:
        lead.unreached = sorted({*lead.unreached, "model"})
    lead.score, lead.reason, lead.refusal = score.total, _with_unreached(score.reason, lead.unreached), score.exclusion
    lead.state = LEAD.move(lead.state, "scored")
    db.flush()
    if unanswered and not score.qualified and score.exclusion is None:
        return lead, "undecided"
    lead.state = LEAD.move(lead.state, "qualified" if score.qualified else "rejected_campaign")
    return lead, "qualified" if score.qualified else "rejected"


def _with_unreached(reason: str, unreached: Sequence[str]) -> str:
    """The reason, and what it lacks."""
    if not unreached:
        return reason
    return f"{reason} Não responderam: {', '.join(SOURCE_NAMES[name] for name in unreached)}."


def _score(
    db: Session, lead: Lead, case: Case, answers: Sequence[Answer], model: str | None, prompt_version: str | None
) -> LeadScore:
    verdict = judge(case.rubric, case.icp, case.facts, case.lines, answers)
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
