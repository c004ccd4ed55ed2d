"""Messages: the last one to somebody, what is to leave, and those whose outcome nobody can tell."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from somos.events.sdr import MessageClaimed
from somos.mesh.unfinished_steps import unfinished_steps
from somos.modules.sdr.queries.people import keys_of, written_to
from somos.modules.sdr.tables.message_receipts import MessageReceipt
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.senders import Sender
from somos.ports.whatsapp import ChatMessage


def last_message_to(db: Session, phone_or_email_key: str | None, jid: str | None) -> OutreachMessage | None:
    """What we last wrote to somebody."""
    key = phone_or_email_key
    if key and (message := last_message(db, written_to(OutreachMessage, [key]))):
        return message
    # An account keeps the id it was opened with, whatever its number is now: it answers from where we wrote to.
    return last_message(db, OutreachMessage.jid == jid) if jid else None


def last_message(db: Session, condition: Any) -> OutreachMessage | None:
    matching = select(OutreachMessage).where(condition)
    return db.scalars(
        matching.order_by(OutreachMessage.left_at.desc().nulls_last(), OutreachMessage.id.desc()).limit(1)
    ).first()


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to leave, read once."""

    message_id: UUID
    attempt: int
    channel: str
    sender: str
    sender_name: str
    to: str
    jid: str | None
    subject: str
    text: str
    keys: tuple[str, ...]


def letter_of(db: Session, message_id: UUID, attempt: int) -> Letter | None:
    """The claimed message, or None when this attempt is not the one under way any more."""
    message = db.get(OutreachMessage, message_id)
    if message is None or message.state != "sending" or message.tries != attempt:
        return None
    sender = db.get_one(Sender, message.sender_id)
    return Letter(
        message_id=message.id,
        attempt=attempt,
        channel=message.channel,
        sender=sender.address,
        sender_name=sender.person_name,
        to=message.to_address,
        jid=message.jid or _known_jid(db, message),
        subject=message.subject or "",
        text=message.text,
        keys=tuple(keys_of(message)),
    )


def _known_jid(db: Session, message: OutreachMessage) -> str | None:
    """The identity that earlier messages to this number went to."""
    if message.channel != "whatsapp":
        return None
    earlier = select(OutreachMessage.jid).where(
        OutreachMessage.to_address == message.to_address, OutreachMessage.jid.is_not(None)
    )
    return db.scalars(earlier.order_by(OutreachMessage.id.desc()).limit(1)).first()


# Mail that arrives after all ends the pause sooner.
PAUSE = timedelta(days=3)


def address_paused_until(db: Session, message: OutreachMessage) -> datetime | None:
    """Until when this message's address is left alone: its last mail came back for now, and none arrived since."""
    if message.channel != "email" or message.email_key is None:
        return None
    receipt = MessageReceipt
    ours = (OutreachMessage.channel == receipt.channel) & (OutreachMessage.provider_id == receipt.provider_id)
    last = (
        select(receipt.receipt, func.max(receipt.at).label("at"))
        .join(OutreachMessage, ours)
        .where(
            OutreachMessage.email_key == message.email_key,
            receipt.channel == "email",
            receipt.receipt.in_(("delayed", "delivered", "opened")),
        )
        .group_by(receipt.receipt)
    )
    reported: dict[str, datetime] = {row.receipt: row.at for row in db.execute(last)}
    delayed = reported.pop("delayed", None)
    if delayed is None or any(arrived >= delayed for arrived in reported.values()):
        return None
    return delayed + PAUSE


MISSING_AT_ONCE = 20
LOOKED_FOR = timedelta(days=3)
# Younger ones are still in the hands of their own step.
STUCK_AFTER = timedelta(hours=1)
SENDING_STEP = "sdr-on-message-claimed"
CALL = "send"
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Missing:
    """One message to look for in the list of its chat."""

    message_id: UUID
    account: str
    jid: str
    text: str
    claimed_at: datetime

    def is_this(self, message: ChatMessage) -> bool:
        """Ours, in the same words, since it was claimed."""
        in_time = message.at is not None and message.at >= self.claimed_at - CLOCKS_DIFFER
        return message.from_me and message.text == self.text and in_time


def missing_messages(db: Session, now: datetime) -> list[Missing]:
    """WhatsApp messages of unknown outcome, the oldest first."""
    m = OutreachMessage
    missing = (
        select(m.id, Sender.address, m.jid, m.text, m.left_at)
        .join(Sender, Sender.id == OutreachMessage.sender_id)
        .where(
            OutreachMessage.channel == "whatsapp",
            OutreachMessage.state == "unknown",
            OutreachMessage.jid.is_not(None),
            OutreachMessage.left_at > now - LOOKED_FOR,
        )
    )
    rows = db.execute(missing.order_by(m.id).limit(MISSING_AT_ONCE))
    return [Missing(id, account, jid or "", text, left_at or now) for id, account, jid, text, left_at in rows]


@dataclass(frozen=True, slots=True)
class Stuck:
    """Messages claimed long ago whose step will not come back: those that nobody called the provider for, and those
    that may have left."""

    not_begun: tuple[UUID, ...] = ()
    may_have_left: tuple[UUID, ...] = ()

    @property
    def all(self) -> tuple[UUID, ...]:
        return self.not_begun + self.may_have_left


def stuck_messages(db: Session, now: datetime) -> Stuck:
    """What the mesh's own books say of every message that has been leaving for long. A step that is still due does its
    work when a worker is there for it, however late that is."""
    long_ago = select(OutreachMessage.id, OutreachMessage.tries).where(
        OutreachMessage.state == "sending", OutreachMessage.left_at < now - STUCK_AFTER
    )
    claims = {(id, tries) for id, tries in db.execute(long_ago)}
    if not claims:
        return Stuck()
    steps = {
        (UUID(step.data["message_id"]), step.data["attempt"]): step
        for step in unfinished_steps(db, SENDING_STEP, MessageClaimed.type, CALL)
    }
    gone = {claim: steps.get(claim) for claim in claims if claim not in steps or steps[claim].dead}
    return Stuck(
        not_begun=tuple(id for (id, _), step in gone.items() if step is not None and not step.called),
        may_have_left=tuple(id for (id, _), step in gone.items() if step is None or step.called),
    )
