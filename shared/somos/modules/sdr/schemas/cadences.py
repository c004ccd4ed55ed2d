"""Cadences: their steps, drafts and frozen versions."""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, Model, Patch, Record, View
from somos.modules.sdr.rules.cadences import MAX_STEPS, Condition
from somos.modules.sdr.rules.words import Channel
from somos.modules.sdr.schemas.fields import Short
from somos.modules.sdr.tables.cadences import Cadence


class StepFields(Model):
    step_no: int = Field(ge=1, le=MAX_STEPS)
    channel: Channel
    sender_id: UUID | None = None
    wait_hours: int = Field(0, ge=0, le=2160)
    condition: Condition = "always"
    else_step: int | None = Field(None, ge=2, le=MAX_STEPS)
    instruction: str = Field(min_length=1, max_length=2000)


class StepDraft(StepFields, Body):
    """After `wait_hours`, when `condition` holds, write on `channel`; otherwise go on at `else_step`."""


class StepView(StepFields, View):
    pass


class CadenceFields(Model):
    name: Short
    description: str | None = Field(None, max_length=2000)


class CadenceDraft(CadenceFields, Body):
    steps: list[StepDraft] = Field(min_length=1, max_length=MAX_STEPS)


class CadencePatch(CadenceFields, Patch):
    archived: bool
    steps: list[StepDraft] = Field(max_length=MAX_STEPS)


class CadenceFilter(Filter):
    table: ClassVar[Any] = Cadence
    sort: Literal["-id", "id"] = "-id"
    archived: bool | None = None


class CadenceView(CadenceFields, Record):
    archived: bool
    published_no: int | None
    created_at: datetime


class VersionView(View):
    """The steps of one version; 0 is the draft, which alone may change."""

    version_no: int
    published_at: datetime | None
    steps: list[StepView]


class CadenceDetail(CadenceView):
    versions: list[VersionView]
