"""Mail that came back: an address that is dead ends, one that is only full or slow is left alone for a while."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.mesh import Context
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.locks import lock
from somos.modules.sdr.actions.messages import cancel
from somos.modules.sdr.actions.receipts import keep_receipt
from somos.modules.sdr.actions.suppressions import suppress
from somos.modules.sdr.queries.people import key_of
from somos.modules.sdr.rules.bounces import Bounced
from somos.modules.sdr.rules.machines import LIVE_ENROLMENTS
from somos.modules.sdr.tables import Enrolment, OutreachMessage, Response

DEAD = "O endereço de e-mail não existe."


def report_bounces(ctx: Context, db: Session, response: Response, bounces: Iterable[Bounced]) -> int:
    """Act on a report that came as mail. Returns how many messages will not leave.

    Only for addresses that we wrote to: a forged report must not silence a stranger.
    """
    of_us = {
        key: bounce.dead
        for bounce in bounces
        if (key := key_of(ctx.settings.suppression_key, "email", bounce.address)) and _is_known(db, key)
    }
    lock(db, of_us)
    for key, dead in of_us.items():
        if not dead:
            _came_back(db, key, response.received_at)
    return _end(db, [key for key, dead in of_us.items() if dead], response, ctx.now)


def _is_known(db: Session, key: str) -> bool:
    return db.scalars(select(OutreachMessage.id).where(OutreachMessage.email_key == key).limit(1)).first() is not None


def _came_back(db: Session, key: str, at: datetime) -> None:
    """Note on the last mail to this address that it did not arrive for now."""
    left = select(OutreachMessage.provider_id).where(
        OutreachMessage.email_key == key, OutreachMessage.channel == "email", OutreachMessage.provider_id.is_not(None)
    )
    last = db.scalars(left.order_by(OutreachMessage.left_at.desc().nulls_last()).limit(1)).first()
    if last is not None:
        keep_receipt(db, "email", last, "delayed", at)


def _end(db: Session, keys: list[str], response: Response, now: datetime) -> int:
    """Never use these addresses again, and end what was going there."""
    suppress(
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
