"""Stages of a pipeline, as they are sent and shown."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, View, untouched
from somos.modules.crm.schemas import Percent, Position, Short
from somos.modules.crm.tables import DealStage

RequiredField = Literal["value_cents", "company_id", "contact_id", "expected_close_date", "owner_id"]
RequiredFields = Annotated[list[RequiredField], Field(max_length=5)]
MaxDays = Annotated[int, Field(ge=1, le=3_650)]


class StageFilter(Filter):
    table = DealStage
    sort: Literal["position", "-id"] = "position"
    pipeline_id: UUID | None = None


class StageDraft(Body):
    pipeline_id: UUID
    name: Short
    position: Position
    probability: Percent
    max_days: MaxDays | None = None
    required_fields: RequiredFields = Field(default_factory=list)


class StagePatch(Body):
    name: Short = untouched()
    position: Position = untouched()
    probability: Percent = untouched()
    max_days: MaxDays | None = None
    required_fields: RequiredFields = untouched()


class StageView(View):
    id: UUID
    pipeline_id: UUID
    name: str
    position: int
    probability: int
    max_days: int | None
    required_fields: list[str]
    version: int
