"""Shapes of the rules by which sites are read."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from somos.mesh import Body, Filter, Model, Patch, Record
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


class ExtractionRuleFields(Model):
    """What is done with an address that looks like the pattern."""

    action: Action
    note: str | None = Field(None, max_length=300)


class ExtractionRuleDraft(ExtractionRuleFields, Body):
    """An address on sites to ignore or to prefer."""

    kind: Kind
    pattern: Pattern


class ExtractionRulePatch(ExtractionRuleFields, Patch):
    """What of a rule changes."""

    active: bool


class ExtractionRuleFilter(Filter):
    """Rules by kind."""

    table: ClassVar[type[ExtractionRule]] = ExtractionRule
    sort: Literal["id", "-id", "pattern", "-pattern"] = "pattern"
    kind: Kind | None = None
    active: bool | None = None


class ExtractionRuleView(ExtractionRuleFields, Record):
    """A rule as it stands."""

    kind: Kind
    pattern: str
    active: bool
    created_at: datetime
    updated_at: datetime
