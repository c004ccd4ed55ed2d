"""Reading a number's own list of messages: which accounts, since when, and what of it is news to us."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from somos.mesh import Context
from somos.modules.keys import normalise_phone
from somos.modules.sdr import people
from somos.modules.sdr.inbox import Arrived
from somos.modules.sdr.tables import OutreachMessage, Response, Sender
from somos.ports.whatsapp import ChatMessage

MAX_PAGES = 5
FIRST_PULL = timedelta(days=2)


def accounts(db: Session, now: datetime) -> list[tuple[str, datetime]]:
    """Connected WhatsApp numbers, and since when each is to be read."""
    wanted = select(Sender.address, Sender.pulled_at).where(
        Sender.channel == "whatsapp",
        Sender.active.is_(True),
        Sender.sandbox.is_(False),
        Sender.health.not_in(("blocked", "disconnected")),
    )
    return [(account, pulled_at or now - FIRST_PULL) for account, pulled_at in db.execute(wanted.order_by(Sender.id))]


def arrived(db: Session, ctx: Context, account: str, said: ChatMessage) -> Arrived | None:
    """A message that no webhook told us of, from somebody we wrote to; None for everything else."""
    known = select(Response.id).where(Response.channel == "whatsapp", Response.provider_message_id == said.provider_id)
    if db.scalars(known).first() is not None:
        return None
    key = people.key_of(ctx.settings.suppression_key, "phone", normalise_phone(said.phone))
    ours = OutreachMessage.jid == said.jid
    ours = ours if key is None else or_(ours, OutreachMessage.phone_key == key)
    left = select(OutreachMessage.id).where(ours, OutreachMessage.left_at.is_not(None))
    if db.scalars(left.limit(1)).first() is None:
        return None
    return Arrived(
        channel="whatsapp",
        provider_message_id=said.provider_id,
        account=account,
        from_address=said.phone or "",
        from_name=said.name,
        jid=said.jid,
        lid=said.lid,
        text=said.text,
        received_at=said.at or ctx.now,
        pulled=True,
    )


def note_pulled(db: Session, read: Iterable[str], now: datetime) -> None:
    """Remember up to when each number was read."""
    senders = select(Sender).where(Sender.channel == "whatsapp", Sender.address.in_(list(read)))
    for sender in db.scalars(senders.order_by(Sender.id).with_for_update()):
        sender.pulled_at = now
