"""Mail that came back: an address that is dead ends, one that is only full or slow is left alone for a while."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from somos.mesh import Context
from somos.modules.sdr import people
from somos.modules.sdr.receipts import keep
from somos.modules.sdr.rules.bounces import Bounced
from somos.modules.sdr.rules.machines import LIVE_ENROLMENTS
from somos.modules.sdr.stopping import cancel, stop_enrolment
from somos.modules.sdr.tables import Enrolment, MessageReceipt, OutreachMessage, Response

DEAD = "O endereço de e-mail não existe."
# Mail that arrives after all ends the pause sooner.
PAUSE = timedelta(days=3)


def report(ctx: Context, db: Session, response: Response, bounces: Iterable[Bounced]) -> int:
    """Act on a report that came as mail. Returns how many messages will not leave.

    Only for addresses that we wrote to: a forged report must not silence a stranger.
    """
    of_us = {
        key: bounce.dead
        for bounce in bounces
        if (key := people.key_of(ctx.settings.suppression_key, "email", bounce.address)) and _written_to(db, key)
    }
    people.lock(db, of_us)
    for key, dead in of_us.items():
        if not dead:
            _came_back(db, key, response.received_at)
    return _end(db, [key for key, dead in of_us.items() if dead], response, ctx.now)


def paused_until(db: Session, message: OutreachMessage) -> datetime | None:
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


def _written_to(db: Session, key: str) -> bool:
    return db.scalars(select(OutreachMessage.id).where(OutreachMessage.email_key == key).limit(1)).first() is not None


def _came_back(db: Session, key: str, at: datetime) -> None:
    """Note on the last mail to this address that it did not arrive for now."""
    left = select(OutreachMessage.provider_id).where(
        OutreachMessage.email_key == key, OutreachMessage.channel == "email", OutreachMessage.provider_id.is_not(None)
    )
    last = db.scalars(left.order_by(OutreachMessage.left_at.desc().nulls_last()).limit(1)).first()
    if last is not None:
        keep(db, "email", last, "delayed", at)


def _end(db: Session, keys: list[str], response: Response, now: datetime) -> int:
    """Never use these addresses again, and end what was going there."""
    people.suppress(
        db,
        [(key, "email") for key in keys],
        source="bounce",
        reach="address",
        channel="email",
        response_id=response.id,
        now=now,
    )
    live = select(Enrolment).where(Enrolment.email_key.in_(keys), Enrolment.state.in_(LIVE_ENROLMENTS))
    for enrolment in db.scalars(live.order_by(Enrolment.id).with_for_update()):
        stop_enrolment(enrolment, "stopped_bounce", DEAD)
    going = select(OutreachMessage).where(
        OutreachMessage.email_key.in_(keys),
        OutreachMessage.channel == "email",
        OutreachMessage.state.in_(("drafted", "awaiting_approval", "approved", "queued")),
    )
    messages = db.scalars(going.order_by(OutreachMessage.id).with_for_update()).all()
    for message in messages:
        cancel(db, message, DEAD, now)
    return len(messages)
