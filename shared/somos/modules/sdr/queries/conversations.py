"""Everything said with one lead, on every channel, and whose conversation it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.mesh import Context, NotFound
from somos.modules.hunter.queries import leads as hunter
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.phone_messages import PhoneMessage
from somos.modules.sdr.tables.responses import Response
from somos.policy.roles import Role


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One moment of a conversation, on any channel."""

    id: UUID
    at: datetime
    direction: Literal["out", "in"]
    channel: str
    author: Literal["agent", "person", "lead"]
    author_id: UUID | None
    model: str | None
    tokens: int
    subject: str | None
    text: str
    state: str
    label: str | None


def conversation(db: Session, lead_id: UUID) -> list[TimelineItem]:
    """Everything that left to this lead, also past the system, and everything it answered, oldest first."""
    out = select(OutreachMessage).where(OutreachMessage.lead_id == lead_id, OutreachMessage.left_at.is_not(None))
    on_phone = select(PhoneMessage).where(PhoneMessage.lead_id == lead_id)
    into = select(Response).where(Response.lead_id == lead_id)
    items = [_sent(message) for message in db.scalars(out)] + [_received(response) for response in db.scalars(into)]
    items += [_written_on_phone(message) for message in db.scalars(on_phone)]
    return sorted(items, key=lambda item: (item.at, item.id))


def _sent(message: OutreachMessage) -> TimelineItem:
    assert message.left_at is not None
    return TimelineItem(
        id=message.id,
        at=message.sent_at or message.left_at,
        direction="out",
        channel=message.channel,
        author="person" if message.author == "person" else "agent",
        author_id=message.author_id,
        model=message.model,
        tokens=message.tokens_in + message.tokens_out,
        subject=message.subject,
        text=message.text,
        state=message.state,
        label=None,
    )


def _written_on_phone(message: PhoneMessage) -> TimelineItem:
    return TimelineItem(
        id=message.id,
        at=message.at,
        direction="out",
        channel=message.channel,
        author="person",
        author_id=None,
        model=None,
        tokens=0,
        subject=None,
        text=message.text,
        state="sent",
        label=None,
    )


def _received(response: Response) -> TimelineItem:
    return TimelineItem(
        id=response.id,
        at=response.received_at,
        direction="in",
        channel=response.channel,
        author="lead",
        author_id=None,
        model=response.model,
        tokens=0,
        subject=response.subject,
        text=response.text,
        state=response.state,
        label=response.label,
    )


def check_owns(ctx: Context, lead_id: UUID | None) -> None:
    """Raises NotFound for a seller who does not own this lead, as if it were not there."""
    if ctx.principal.role is not Role.Comercial:
        return
    card = hunter.lead_card(ctx.db, lead_id) if lead_id else None
    if card is None or card.owner_id != ctx.principal.id:
        raise NotFound
