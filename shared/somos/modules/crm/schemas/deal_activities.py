"""Activities of deals, as they are sent and shown."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement

from somos.mesh import Body, Filter, Model, OneOf, Patch, Record
from somos.modules.crm.schemas.fields import Long, Moment, Short
from somos.modules.crm.tables.deal_activities import KINDS, WRITTEN, DealActivity

WrittenKind = Annotated[str, OneOf(WRITTEN)]
ActivityKind = Annotated[str, OneOf(KINDS)]


class ActivityFilter(Filter):
    table = DealActivity
    sort: Literal["-happened_at", "happened_at", "due_at", "-id"] = "-happened_at"
    deal_id: UUID | None = None
    kind: ActivityKind | None = None
    assignee_id: UUID | None = None
    pending: bool | None = Field(None, description="Com data marcada e ainda não feitas")
    due_at_to: Moment | None = None

    def clauses(self) -> list[ColumnElement[bool]]:
        conditions = super().clauses()
        if self.pending is not None:
            pending = DealActivity.due_at.is_not(None) & DealActivity.done_at.is_(None)
            conditions.append(pending if self.pending else ~pending)
        return conditions


class ActivityFields(Model):
    subject: Short
    body: Long | None = None
    due_at: Moment | None = None
    assignee_id: UUID | None = Field(None, description="Sem ele, ao criar, o responsável pelo negócio")


class ActivityDraft(ActivityFields, Body):
    deal_id: UUID
    kind: WrittenKind
    happened_at: Moment | None = None

    @model_validator(mode="after")
    def _a_task_has_a_date(self) -> "ActivityDraft":
        if self.kind == "task" and self.due_at is None:
            raise ValueError("Uma tarefa precisa de data")
        return self


class ActivityPatch(ActivityFields, Patch):
    pass


class ActivityView(ActivityFields, Record):
    deal_id: UUID
    kind: ActivityKind
    author_id: UUID | None
    author_kind: str
    happened_at: datetime
    done_at: datetime | None
    channel: str | None
    reference_id: UUID | None
