"""What happened around a record."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Filter, View


class TimelineFilter(Filter):
    sort: Literal["-at"] = "-at"


class FieldChange(View):
    field: str
    label: str
    old: Any
    new: Any


class TimelineItem(View):
    """`function` and `correlation` say by which run of the mesh, when no person did it by hand."""

    id: str
    at: datetime
    kind: str
    title: str
    body: str | None = None
    deal_id: UUID | None = None
    actor_id: UUID | None = None
    actor_kind: str | None = None
    function: str | None = None
    correlation: UUID | None = None
    channel: str | None = None
    reference_id: UUID | None = None
    private: bool = False
    changes: list[FieldChange] = Field(default_factory=list)
