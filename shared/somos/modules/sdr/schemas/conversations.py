"""Everything said with one lead, and a person's answer."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from somos.mesh import Body, View
from somos.modules.sdr.rules.words import Channel
from somos.modules.sdr.schemas.fields import Short, Text


class TimelineView(View):
    """One moment of a conversation: who wrote, on which channel, with which model, and how it stands."""

    id: UUID
    at: datetime
    direction: Literal["out", "in"]
    channel: Channel
    author: Literal["agent", "person", "lead"]
    author_id: UUID | None
    model: str | None
    tokens: int
    subject: str | None
    text: str
    state: str
    label: str | None


class ConversationView(View):
    """Everything said with one lead, oldest first, on every channel."""

    lead_id: UUID
    company_name: str | None
    contact_name: str | None
    suppressed: bool
    items: list[TimelineView]


class Reply(Body):
    """A person's answer to a person who wrote; `channel` defaults to where they wrote last."""

    text: Text
    subject: Short | None = None
    channel: Channel | None = None
