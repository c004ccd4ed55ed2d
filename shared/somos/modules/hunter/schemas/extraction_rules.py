"""Shapes of the rules by which sites are read."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from somos.mesh.schemas import Body, Filter, View
from somos.modules.hunter.rules.extraction_rules import Action, Kind, refuse_pattern
from somos.modules.hunter.tables.extraction_rules import ExtractionRule


def _pattern(text: str) -> str:
    refusal = refuse_pattern(text)
    if refusal:
        raise ValueError(refusal)
    return text.lower()


Pattern = Annotated[
    str,
    Field(min_length=2, max_length=100, description="`*` é qualquer texto", examples=["no-reply@*"]),
    AfterValidator(_pattern),
]


class ExtractionRuleDraft(Body):
    """An address on sites to ignore or to prefer."""

    kind: Kind
    action: Action
    pattern: Pattern
    note: str | None = Field(None, max_length=300)


class ExtractionRuleChange(Body):
    """What of a rule changes."""

    action: Action | None = None
    note: str | None = Field(None, max_length=300)
    active: bool | None = None


class ExtractionRuleFilter(Filter):
    """Rules by kind."""

    table: ClassVar[type[ExtractionRule]] = ExtractionRule
    sort: Literal["id", "-id", "pattern", "-pattern"] = "pattern"
    kind: Kind | None = None
    active: bool | None = None


class ExtractionRuleView(View):
    """A rule as it stands."""

    id: UUID
    kind: Kind
    action: Action
    pattern: str
    note: str | None
    active: bool
    created_at: datetime
    updated_at: datetime
    version: int
