"""Asking the model to fill the rubric's criteria, and reading its answer as data."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, Field

from somos.modules.hunter.prompts import text_of
from somos.modules.hunter.rules.evidence import Line
from somos.modules.hunter.rules.rubric import Answer, Criterion
from somos.ports.llm import Prompt, section


class CriterionAnswer(BaseModel):
    """One criterion, filled."""

    id: str
    answer: Literal["yes", "partly", "no", "unknown"]
    value: str | None = None
    quote: str | None = None


class RubricAssessment(BaseModel):
    """Every criterion asked about; nobody sums here."""

    criteria: list[CriterionAnswer] = Field(description="Um item por critério, com o id dado")


def prompt_for(asked: Iterable[Criterion], lines: Iterable[Line]) -> Prompt:
    """The criteria and the evidence, each in a section that what it holds cannot close."""
    wanted = "\n".join(f"{one.id} | {one.question} | {','.join(one.keywords)}" for one in asked)
    known = "\n".join(str(line).replace("\n", " ") for line in lines)
    return Prompt(
        name="hunter.qualify",
        system=text_of("qualify"),
        user=f"{section('criterios', wanted)}\n\n{section('evidencias', known)}",
    )


def answers_in(output: dict[str, Any]) -> list[Answer]:
    """What the model said, cut to a size a person can read."""
    said = RubricAssessment.model_validate(output).criteria
    return [
        Answer(one.id, one.answer, (one.value or "")[:200] or None, (one.quote or "")[:500] or None) for one in said
    ]
