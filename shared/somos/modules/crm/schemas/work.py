"""Activities, private notes, tags, saved views, imports and hand-overs."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement

from somos.mesh import Body, Filter, View, untouched
from somos.modules.crm.schemas import Long, Moment, Short
from somos.modules.crm.tables import (
    DealActivity,
    Handover,
    Import,
    ImportRow,
    PrivateNote,
    SavedView,
    Tag,
    Tagging,
)

Color = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$", description="#rrggbb")]
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


class PrivateNoteFilter(Filter):
    table = PrivateNote
    sort: Literal["-happened_at", "happened_at", "-id"] = "-happened_at"
    deal_id: UUID | None = None


class PrivateNoteDraft(Body):
    deal_id: UUID
    kind: Literal["note", "email_sent", "email_received"] = "note"
    subject: Short
    body: Long | None = None
    happened_at: Moment | None = None


class PrivateNoteView(View):
    id: UUID
    deal_id: UUID
    kind: str
    subject: str
    body: str | None
    happened_at: datetime
    version: int


class TagFilter(Filter):
    table = Tag
    sort: Literal["name_key", "-id"] = "name_key"


class TagDraft(Body):
    name: Annotated[str, Field(min_length=1, max_length=40)]
    color: Color = "#64748b"


class TagPatch(Body):
    name: Annotated[str, Field(min_length=1, max_length=40)] = untouched()
    color: Color = untouched()


class TagView(View):
    id: UUID
    name: str
    color: str
    version: int


class TaggingFilter(Filter):
    table = Tagging
    sort: Literal["-id", "id"] = "-id"
    tag_id: UUID | None = None
    deal_id: UUID | None = None
    company_id: UUID | None = None
    contact_id: UUID | None = None


class TaggingDraft(Body):
    tag_id: UUID
    deal_id: UUID | None = None
    company_id: UUID | None = None
    contact_id: UUID | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> "TaggingDraft":
        if sum(value is not None for value in (self.deal_id, self.company_id, self.contact_id)) != 1:
            raise ValueError("Marque um negócio, uma empresa ou um contato")
        return self


class TaggingView(View):
    id: UUID
    tag_id: UUID
    deal_id: UUID | None
    company_id: UUID | None
    contact_id: UUID | None


class SavedViewFilter(Filter):
    table = SavedView
    sort: Literal["name", "-id"] = "name"
    view_of: Literal["deals", "companies", "contacts"] | None = None


class SavedViewDraft(Body):
    view_of: Literal["deals", "companies", "contacts"]
    name: Short
    filters: dict[str, Any] = Field(description="Os parâmetros da listagem", max_length=30)
    shared: bool = False


class SavedViewPatch(Body):
    name: Short = untouched()
    filters: dict[str, Any] = untouched()
    shared: bool = untouched()


class SavedViewView(View):
    id: UUID
    owner_id: UUID
    view_of: str
    name: str
    filters: dict[str, Any]
    shared: bool
    version: int


class ImportFilter(Filter):
    table = Import
    sort: Literal["-id", "id"] = "-id"
    state: Literal["preview", "applied", "undone"] | None = None


class ImportPatch(Body):
    mapping: dict[str, Short] = untouched()  # field -> column of the file
    pipeline_id: UUID | None = None


class ImportCounts(View):
    """How many lines stand where; every line of the file is in one of them."""

    ready: int = 0
    duplicate: int = 0
    invalid: int = 0
    imported: int = 0
    undone: int = 0
    kept: int = 0


class ImportView(View):
    id: UUID
    owner_id: UUID
    filename: str | None
    encoding: str
    delimiter: str
    headers: list[str]
    mapping: dict[str, str]
    pipeline_id: UUID | None
    state: str
    applied_at: datetime | None
    undone_at: datetime | None
    version: int
    created_at: datetime
    counts: ImportCounts | None = None


class ImportRowFilter(Filter):
    table = ImportRow
    sort: Literal["line", "-line"] = "line"
    state: Literal["ready", "duplicate", "invalid", "imported", "undone", "kept"] | None = None


class ImportRowView(View):
    line: int
    cells: dict[str, str]
    state: str
    problems: list[str]
    company_id: UUID | None
    contact_id: UUID | None
    deal_id: UUID | None


class HandoverFilter(Filter):
    table = Handover
    sort: Literal["-id", "id"] = "-id"
    from_user_id: UUID | None = None
    to_user_id: UUID | None = None


class HandoverDraft(Body):
    from_user_id: UUID
    to_user_id: UUID
    reason: Short


class HandoverView(View):
    id: UUID
    from_user_id: UUID
    to_user_id: UUID
    made_by: UUID
    reason: str
    deals: int
    companies: int
    contacts: int
    tasks: int
    created_at: datetime
