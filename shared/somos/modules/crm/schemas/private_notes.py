"""Private notes, as they are sent and shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from somos.mesh import Body, Filter, View
from somos.modules.crm.schemas import Long, Moment, Short
from somos.modules.crm.tables import (
    PrivateNote,
)


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
