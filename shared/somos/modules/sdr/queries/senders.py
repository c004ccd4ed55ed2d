"""Who can send, which accounts are read, and what is stopped."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, and_, any_, literal, select
from sqlalchemy.orm import Session

from somos.modules.sdr.tables.kill_switches import KillSwitch
from somos.modules.sdr.tables.senders import Sender


def sender_for(db: Session, channel: str, preferred: UUID | None = None) -> Sender | None:
    """The sender asked for, if it is of this channel and active; else the channel's first active one."""
    statement = select(Sender).where(Sender.channel == channel, Sender.active.is_(True))
    if preferred is not None:
        statement = statement.where(Sender.id == preferred)
    return db.scalars(statement.order_by(Sender.id).limit(1)).first()


FIRST_PULL = timedelta(days=2)


def accounts_to_read(db: Session, now: datetime) -> list[tuple[str, datetime]]:
    """Connected WhatsApp numbers, and since when each is to be read."""
    senders = select(Sender.address, Sender.pulled_at).where(
        Sender.channel == "whatsapp",
        Sender.active.is_(True),
        Sender.sandbox.is_(False),
        Sender.health.not_in(("blocked", "disconnected")),
    )
    return [(account, pulled_at or now - FIRST_PULL) for account, pulled_at in db.execute(senders.order_by(Sender.id))]


def switches_on(db: Session, channel: str, author: str) -> tuple[str, ...]:
    """Reasons of the kill switches that are on for this channel and author."""
    on = select(KillSwitch.reason).where(is_on(any_(literal(scopes_of(channel, author), ARRAY(Text)))))
    return tuple(db.scalars(on.order_by(KillSwitch.id)))


def is_on(scopes: Any) -> ColumnElement[bool]:
    return and_(KillSwitch.off_at.is_(None), KillSwitch.scope == scopes)


def scopes_of(channel: str, author: str) -> list[str]:
    return ["all", f"channel:{channel}", *(["agent:sdr"] if author == "agent" else [])]
