"""Pipelines, their stages and the reasons for losing."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, View, untouched
from somos.modules.crm.schemas import Percent, Position, Short
from somos.modules.crm.tables import DealStage, LostReason, Pipeline

RequiredField = Literal["value_cents", "company_id", "contact_id", "expected_close_date", "owner_id"]
RequiredFields = Annotated[list[RequiredField], Field(max_length=5)]
MaxDays = Annotated[int, Field(ge=1, le=3_650)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")]


class PipelineFilter(Filter):
    table = Pipeline
    sort: Literal["position", "name", "-id"] = "position"
    active: bool | None = None


class PipelineDraft(Body):
    code: Code
    name: Short
    position: Position = 0


class PipelinePatch(Body):
    name: Short = untouched()
    position: Position = untouched()
    active: bool = untouched()


class PipelineView(View):
    id: UUID
    code: str
    name: str
    position: int
    active: bool
    version: int
    created_at: datetime
    updated_at: datetime


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


class LostReasonFilter(Filter):
    table = LostReason
    sort: Literal["position", "name", "-id"] = "position"
    active: bool | None = None


class LostReasonDraft(Body):
    name: Short
    position: Position = 0


class LostReasonPatch(Body):
    name: Short = untouched()
    position: Position = untouched()
    active: bool = untouched()


class LostReasonView(View):
    id: UUID
    name: str
    position: int
    active: bool
    version: int
