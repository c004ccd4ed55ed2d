"""Private notes, as they are sent and shown."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from somos.mesh import Body, Filter, Model, OneOf, Record
from somos.modules.crm.schemas.fields import Long, Moment, Short
from somos.modules.crm.tables.private_notes import NOTE_KINDS, PrivateNote


class PrivateNoteFilter(Filter):
    table = PrivateNote
    sort: Literal["-happened_at", "happened_at", "-id"] = "-happened_at"
    deal_id: UUID | None = None


class PrivateNoteFields(Model):
    deal_id: UUID
    kind: Annotated[str, OneOf(NOTE_KINDS)] = "note"
    subject: Short
    body: Long | None = None


class PrivateNoteDraft(PrivateNoteFields, Body):
    happened_at: Moment | None = None


class PrivateNoteView(PrivateNoteFields, Record):
    happened_at: datetime
