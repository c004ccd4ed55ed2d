"""Messages that may have left and nobody can tell: what to look for, and which of them wait for a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from somos.events.sdr import MessageClaimed
from somos.mesh.unfinished import unfinished
from somos.modules.sdr.rules.machines import MESSAGE, move
from somos.modules.sdr.sending import queue
from somos.modules.sdr.settling import WHY_UNKNOWN
from somos.modules.sdr.tables import MessageReceipt, OutreachMessage, Sender
from somos.ports.whatsapp import ChatMessage

MISSING_AT_ONCE = 20
LOOKED_FOR = timedelta(days=3)
# Younger ones are still in the hands of their own step.
STUCK_AFTER = timedelta(hours=1)
SENDING_STEP = "sdr-on-message-claimed"
CALL = "send"
WHY_AGAIN = "O envio não chegou a começar; a mensagem espera a vez de novo."
UNCONFIRMED_AFTER = timedelta(minutes=30)
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


def note_unconfirmed(db: Session, now: datetime) -> list[UUID]:
    """Messages that WhatsApp's server took and of which nothing was heard since, each told once.

    A session may look connected and be dead: then the server takes everything and nothing leaves.
    """
    m, r = OutreachMessage, MessageReceipt
    receipt = exists().where(r.channel == m.channel, r.provider_id == m.provider_id)
    silent = select(m).where(
        m.channel == "whatsapp",
        m.state == "sent",
        m.sandbox.is_(False),
        m.unconfirmed_at.is_(None),
        m.sent_at < now - UNCONFIRMED_AFTER,
        m.sent_at > now - LOOKED_FOR,
        ~receipt,
    )
    found = db.scalars(silent.order_by(m.id).with_for_update(skip_locked=True)).all()
    for message in found:
        message.unconfirmed_at = now
    return [message.id for message in found]


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
    found = {(id, tries) for id, tries in db.execute(long_ago)}
    if not found:
        return Stuck()
    steps = {
        (UUID(step.data["message_id"]), step.data["attempt"]): step
        for step in unfinished(db, SENDING_STEP, MessageClaimed.type, CALL)
    }
    gone = {claim: steps.get(claim) for claim in found if claim not in steps or steps[claim].dead}
    return Stuck(
        not_begun=tuple(id for (id, _), step in gone.items() if step is not None and not step.called),
        may_have_left=tuple(id for (id, _), step in gone.items() if step is None or step.called),
    )


def settle_stuck(db: Session, stuck: Stuck) -> tuple[list[UUID], list[UUID]]:
    """Put back into the queue what did not begin, and leave the rest to a person; which, and which. The people are
    locked."""
    again, parked = [], []
    for message_id in stuck.all:
        message = db.get(OutreachMessage, message_id, with_for_update=True, populate_existing=True)
        if message is None or message.state != "sending":
            continue
        if message_id in stuck.not_begun:
            message.left_at = None
            queue(message, None, WHY_AGAIN)
            again.append(message_id)
        else:
            message.state = move(MESSAGE, message.state, "unknown")
            message.waiting_for = WHY_UNKNOWN
            parked.append(message_id)
    return again, parked
