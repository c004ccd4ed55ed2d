"""Mail that came back: an address that is dead ends, one that is only full or slow is left alone for a while."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from somos.mesh import Context
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.messages import cancel
from somos.modules.sdr.actions.receipts import keep_receipt
from somos.modules.sdr.actions.suppressions import suppress
from somos.modules.sdr.queries.people import PERSON, key_of
from somos.modules.sdr.rules.bounces import Bounced
from somos.modules.sdr.rules.machines import LIVE_ENROLMENTS
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.responses import Response

DEAD = "O endereço de e-mail não existe."


def report_bounces(ctx: Context, response: Response, bounces: Iterable[Bounced]) -> int:
    """Act on a report that came as mail. Returns how many messages will not leave.

    Only for addresses that we wrote to: a forged report must not silence a stranger.
    """
    of_us = {
        key: bounce.dead
        for bounce in bounces
        if (key := key_of(ctx.settings.suppression_key, "email", bounce.address)) and _is_known(ctx, key)
    }
    ctx.lock(PERSON, of_us)
    for key, dead in of_us.items():
        if not dead:
            _came_back(ctx, key, response.received_at)
    return _end(ctx, [key for key, dead in of_us.items() if dead], response)


def _is_known(ctx: Context, key: str) -> bool:
    return (
        ctx.db.scalars(select(OutreachMessage.id).where(OutreachMessage.email_key == key).limit(1)).first() is not None
    )


def _came_back(ctx: Context, key: str, at: datetime) -> None:
    """Note on the last mail to this address that it did not arrive for now."""
    left = select(OutreachMessage.provider_id).where(
        OutreachMessage.email_key == key, OutreachMessage.channel == "email", OutreachMessage.provider_id.is_not(None)
    )
    last = ctx.db.scalars(left.order_by(OutreachMessage.left_at.desc().nulls_last()).limit(1)).first()
    if last is not None:
        keep_receipt(ctx, "email", last, "delayed", at)


def _end(ctx: Context, keys: list[str], response: Response) -> int:
    """Never use these addresses again, and end what was going there."""
    suppress(
        ctx,
        [(key, "email") for key in keys],
        source="bounce",
        reach="address",
        channel="email",
        response_id=response.id,
    )
    live = select(Enrolment).where(Enrolment.email_key.in_(keys), Enrolment.state.in_(LIVE_ENROLMENTS))
    for enrolment in ctx.db.scalars(live.order_by(Enrolment.id).with_for_update()):
        stop_enrolment(enrolment, "stopped_bounce", DEAD)
    going = select(OutreachMessage).where(
        OutreachMessage.email_key.in_(keys),
        OutreachMessage.channel == "email",
        OutreachMessage.state.in_(("drafted", "awaiting_approval", "approved", "queued")),
    )
    messages = ctx.db.scalars(going.order_by(OutreachMessage.id).with_for_update()).all()
    for message in messages:
        cancel(ctx, message, DEAD)
    return len(messages)
