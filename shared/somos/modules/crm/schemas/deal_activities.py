"""Activities of deals, as they are sent and shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement

from somos.mesh import Body, Filter, View, untouched
from somos.modules.crm.schemas import Long, Moment, Short
from somos.modules.crm.tables import (
    DealActivity,
)

WrittenKind = Literal["note", "call", "meeting", "task"]
ActivityKind = Literal["note", "call", "meeting", "task", "message_sent", "message_received", "stage_change"]


class ActivityFilter(Filter):
    table = DealActivity
    sort: Literal["-happened_at", "happened_at", "due_at", "-id"] = "-happened_at"
    deal_id: UUID | None = None
    kind: ActivityKind | None = None
    assignee_id: UUID | None = None
    pending: bool | None = Field(None, description="Com data marcada e ainda não feitas")
    due_at_to: Moment | None = None

    def clauses(self) -> list[ColumnElement[bool]]:
        found = super().clauses()
        if self.pending is not None:
            pending = DealActivity.due_at.is_not(None) & DealActivity.done_at.is_(None)
            found.append(pending if self.pending else ~pending)
        return found


class ActivityDraft(Body):
    deal_id: UUID
    kind: WrittenKind
    subject: Short
    body: Long | None = None
    happened_at: Moment | None = None
    due_at: Moment | None = None
    assignee_id: UUID | None = Field(None, description="Sem ele, o responsável pelo negócio")

    @model_validator(mode="after")
    def _a_task_has_a_date(self) -> "ActivityDraft":
        if self.kind == "task" and self.due_at is None:
            raise ValueError("Uma tarefa precisa de data")
        return self


class ActivityPatch(Body):
    subject: Short = untouched()
    body: Long | None = None
    due_at: Moment | None = None
    assignee_id: UUID | None = None


class ActivityView(View):
    id: UUID
    deal_id: UUID
    kind: ActivityKind
    subject: str
    body: str | None
    author_id: UUID | None
    author_kind: str
    assignee_id: UUID | None
    happened_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    channel: str | None
    reference_id: UUID | None
    version: int
