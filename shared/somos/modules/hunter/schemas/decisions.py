"""Shapes of what people decide of leads."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh.schemas import Body, Filter, View
from somos.modules.hunter.tables import MergeSuggestion

Reason = Annotated[str, Field(min_length=3, max_length=500, description="Por quê, em uma frase")]


class Decision(Body):
    """A decision and its reason."""

    reason: Reason


class Acceptance(Body):
    """A person says the lead is good; a reason is needed when the score said otherwise."""

    reason: Reason | None = None


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
