"""Messages that may have left and nobody can tell: what to look for, and which of them wait for a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.sdr.rules.evolution import WireMessage
from somos.modules.sdr.rules.machines import MESSAGE, move
from somos.modules.sdr.sending import locked
from somos.modules.sdr.settling import WHY_UNKNOWN
from somos.modules.sdr.tables import OutreachMessage, Sender
from somos.ports.whatsapp import ChatMessage

MISSING_AT_ONCE = 20
LOOKED_FOR = timedelta(days=3)
# Younger ones are still in the hands of their own step.
STUCK_AFTER = timedelta(hours=1)
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Missing:
    """One message to look for in the list of its chat."""

    message_id: UUID
    account: str
    jid: str
    text: str
    claimed_at: datetime

    def is_this(self, said: ChatMessage) -> bool:
        """Ours, in the same words, since it was claimed."""
        in_time = said.at is not None and said.at >= self.claimed_at - CLOCKS_DIFFER
        return said.from_me and said.text == self.text and in_time


def missing_messages(db: Session, now: datetime) -> list[Missing]:
    """WhatsApp messages of unknown outcome, the oldest first."""
    m = OutreachMessage
    wanted = (
        select(m.id, Sender.address, m.jid, m.text, m.left_at)
        .join(Sender, Sender.id == OutreachMessage.sender_id)
        .where(
            OutreachMessage.channel == "whatsapp",
            OutreachMessage.state == "unknown",
            OutreachMessage.jid.is_not(None),
            OutreachMessage.left_at > now - LOOKED_FOR,
        )
    )
    found = db.execute(wanted.order_by(m.id).limit(MISSING_AT_ONCE))
    return [Missing(id, account, jid or "", text, left_at or now) for id, account, jid, text, left_at in found]


def park_stuck(db: Session, now: datetime) -> int:
    """Messages claimed long ago whose step never came back: a person decides. How many."""
    stuck = select(OutreachMessage.id).where(
        OutreachMessage.state == "sending", OutreachMessage.left_at < now - STUCK_AFTER
    )
    parked = 0
    for message_id in sorted(db.scalars(stuck)):
        message = locked(db, message_id)
        if message is not None and message.state == "sending":
            message.state = move(MESSAGE, message.state, "unknown")
            message.waiting_for = WHY_UNKNOWN
            parked += 1
    return parked


def as_wire(said: ChatMessage) -> WireMessage:
    """The same message as a webhook would have told it."""
    return WireMessage(said.provider_id, said.from_me, said.jid, said.phone, said.lid, said.text, said.name, said.at)
