"""Shapes of pairs of leads that look alike."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from somos.mesh import Body, Filter, OneOf, View
from somos.modules.hunter.rules.merge_suggestions import STATES
from somos.modules.hunter.tables.merge_suggestions import MergeSuggestion

State = Annotated[str, OneOf(STATES)]


class SuggestionFilter(Filter):
    """Pairs of leads that look alike."""

    table: ClassVar[type[MergeSuggestion]] = MergeSuggestion
    sort: Literal["id", "-id", "likeness", "-likeness"] = "-likeness"
    state: State = "open"


class SuggestionView(View):
    """Two leads alike in name and city."""

    id: UUID
    lead_id: UUID
    other_id: UUID
    likeness: int
    state: State
    decided_by: UUID | None
    created_at: datetime


class MergeChoice(Body):
    """Which of the two stays."""

    survivor_id: UUID
