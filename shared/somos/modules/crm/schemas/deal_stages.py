"""Stages of a pipeline, as they are sent and shown."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, Model, OneOf, Patch, Record
from somos.modules.crm.rules.deals import FIELD_LABELS
from somos.modules.crm.schemas.fields import Percent, Position, Short
from somos.modules.crm.tables.deal_stages import DealStage

RequiredField = Annotated[str, OneOf(FIELD_LABELS)]
MaxDays = Annotated[int, Field(ge=1, le=3_650)]


class StageFilter(Filter):
    table = DealStage
    sort: Literal["position", "-id"] = "position"
    pipeline_id: UUID | None = None


class StageFields(Model):
    name: Short
    position: Position
    probability: Percent
    max_days: MaxDays | None = None
    required_fields: list[RequiredField] = Field(default_factory=list, max_length=len(FIELD_LABELS))


class StageDraft(StageFields, Body):
    pipeline_id: UUID


class StagePatch(StageFields, Patch):
    pass


class StageView(StageFields, Record):
    pipeline_id: UUID
