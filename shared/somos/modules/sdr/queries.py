"""What other modules may ask of outreach: plain values, never rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from somos.kernel.keys import PersonKeys
from somos.mesh.runtime import current
from somos.modules.sdr import people
from somos.modules.sdr.tables import OutreachMessage, PhoneMessage, Response, Suppression


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


def is_suppressed(db: Session, keys: PersonKeys) -> bool:
    """Whether this person asked never to be written to; one dead address alone does not count."""
    return people.asked_to_be_left_alone(db, keys.hashes(current().settings.suppression_key))


def suppressed_among(db: Session, persons: Iterable[PersonKeys]) -> set[PersonKeys]:
    """Of these persons, those that `is_suppressed`: one query for a whole file."""
    secret = current().settings.suppression_key
    hashes = {person: person.hashes(secret) for person in persons}
    wanted = {key for keys in hashes.values() for key in keys}
    asked = select(Suppression.key).where(Suppression.key.in_(wanted), Suppression.reach == "person")
    found = set(db.scalars(asked))
    return {person for person, keys in hashes.items() if found.intersection(keys)}


def last_contact_at(db: Session, keys: PersonKeys) -> datetime | None:
    """When something last left to this person, from any campaign and on any channel."""
    hashes = keys.hashes(current().settings.suppression_key)
    if not hashes:
        return None
    sent = db.scalar(select(func.max(OutreachMessage.left_at)).where(people.written_to(OutreachMessage, hashes)))
    on_phone = db.scalar(select(func.max(PhoneMessage.at)).where(PhoneMessage.phone_key.in_(hashes)))
    return max((at for at in (sent, on_phone) if at is not None), default=None)


def conversation(db: Session, lead_id: UUID) -> list[TimelineItem]:
    """Everything that left to this lead, also past the system, and everything it answered, oldest first."""
    out = select(OutreachMessage).where(OutreachMessage.lead_id == lead_id, OutreachMessage.left_at.is_not(None))
    on_phone = select(PhoneMessage).where(PhoneMessage.lead_id == lead_id)
    into = select(Response).where(Response.lead_id == lead_id)
    items = [_sent(message) for message in db.scalars(out)] + [_heard(response) for response in db.scalars(into)]
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


def _heard(response: Response) -> TimelineItem:
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
