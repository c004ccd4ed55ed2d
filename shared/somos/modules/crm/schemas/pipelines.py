"""Pipelines, as they are sent and shown."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from somos.mesh import Body, Filter, Model, Patch, Record
from somos.modules.crm.schemas.fields import Position, Short
from somos.modules.crm.tables.pipelines import Pipeline

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")]


class PipelineFilter(Filter):
    table = Pipeline
    sort: Literal["position", "name", "-id"] = "position"
    active: bool | None = None


class PipelineFields(Model):
    name: Short
    position: Position = 0


class PipelineDraft(PipelineFields, Body):
    code: Code


class PipelinePatch(PipelineFields, Patch):
    active: bool


class PipelineView(PipelineFields, Record):
    code: str
    active: bool
    created_at: datetime
    updated_at: datetime
