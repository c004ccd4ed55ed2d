"""Reading a number's own list of messages: which accounts, since when, and what of it is news to us."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from somos.mesh import Context
from somos.mesh.database import is_away, sqlstate
from somos.modules.sdr.hearing import hear, is_news
from somos.modules.sdr.tables import Sender
from somos.ports.whatsapp import ChatMessage

MAX_PAGES = 5
FIRST_PULL = timedelta(days=2)
NOT_HELD = "[mensagem que não pôde ser guardada; leia no celular]"
MAX_ID = 200
# Two that waited for each other, or for too long: the whole pull is tried again.
TRY_AGAIN = ("40001", "40P01", "55P03")


def accounts(db: Session, now: datetime) -> list[tuple[str, datetime]]:
    """Connected WhatsApp numbers, and since when each is to be read."""
    wanted = select(Sender.address, Sender.pulled_at).where(
        Sender.channel == "whatsapp",
        Sender.active.is_(True),
        Sender.sandbox.is_(False),
        Sender.health.not_in(("blocked", "disconnected")),
    )
    return [(account, pulled_at or now - FIRST_PULL) for account, pulled_at in db.execute(wanted.order_by(Sender.id))]


def take_news(ctx: Context, db: Session, account: str, said: ChatMessage) -> None:
    """Hear what no webhook told us. A message that cannot be taken costs no other: a person reads it on the phone."""
    try:
        with ctx.apart():
            if is_news(db, ctx, said):
                hear(ctx, db, account, said, pulled=True)
    except Exception as error:
        if _is_of_database(error):
            raise
        _set_aside(ctx, db, account, said, error)


def _set_aside(ctx: Context, db: Session, account: str, said: ChatMessage, error: Exception) -> None:
    """Keep that somebody wrote, without the words that nothing here can hold."""
    # Neither the error's text nor the traceback: both may quote what was said.
    ctx.log.error("pulled-message-set-aside", account=account, error=type(error).__name__, kind=said.kind)
    plain = said.model_copy(
        update={"kind": "unreadable", "text": NOT_HELD, "name": None, "about": None, "provider_id": _short(said)}
    )
    try:
        with ctx.apart():
            if not said.from_me and is_news(db, ctx, plain):
                hear(ctx, db, account, plain, pulled=True)
    except Exception as again:
        if _is_of_database(again):
            raise
        ctx.log.error("pulled-message-lost", account=account, error=type(again).__name__, kind=said.kind)


def _is_of_database(error: Exception) -> bool:
    """Whether the database is to blame, and not the message."""
    return isinstance(error, DBAPIError) and (is_away(error) or sqlstate(error) in TRY_AGAIN)


def _short(said: ChatMessage) -> str:
    """The provider's id, or what fits an index of one that does not."""
    id = said.provider_id
    return id if len(id) <= MAX_ID else hashlib.sha256(id.encode()).hexdigest()


def note_pulled(db: Session, read: Iterable[str], now: datetime) -> None:
    """Remember up to when each number was read."""
    senders = select(Sender).where(Sender.channel == "whatsapp", Sender.address.in_(list(read)))
    for sender in db.scalars(senders.order_by(Sender.id).with_for_update()):
        sender.pulled_at = now
