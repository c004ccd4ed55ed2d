"""Pipelines, as they are sent and shown."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, View, untouched
from somos.modules.crm.schemas import Position, Short
from somos.modules.crm.tables import Pipeline

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
