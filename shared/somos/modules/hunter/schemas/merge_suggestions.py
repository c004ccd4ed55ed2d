"""Shapes of pairs of leads that look alike."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from somos.mesh.schemas import Body, Filter, View
from somos.modules.hunter.tables.merge_suggestions import MergeSuggestion


class SuggestionFilter(Filter):
    """Pairs of leads that look alike."""

    table: ClassVar[type[MergeSuggestion]] = MergeSuggestion
    sort: Literal["id", "-id", "likeness", "-likeness"] = "-likeness"
    state: Literal["open", "merged", "dismissed"] = "open"


class SuggestionView(View):
    """Two leads alike in name and city."""

    id: UUID
    lead_id: UUID
    other_id: UUID
    likeness: int
    state: Literal["open", "merged", "dismissed"]
    decided_by: UUID | None
    created_at: datetime


class MergeChoice(Body):
    """Which of the two stays."""

    survivor_id: UUID
