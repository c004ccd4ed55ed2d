"""What a provider reports of our own messages and senders, applied to them."""

from datetime import datetime

from sqlalchemy import select

from somos.kernel.phones import normalise_phone
from somos.mesh import Context
from somos.modules.sdr.actions.enrolments import announce_stop
from somos.modules.sdr.actions.messages import release
from somos.modules.sdr.actions.receipts import apply_receipt, keep_receipt, mark_sent
from somos.modules.sdr.actions.responses import lock_with_answers, match_waiting, remember_hidden
from somos.modules.sdr.actions.senders import announce_health, change_health
from somos.modules.sdr.queries.people import PERSON, keys_of_ids, lock_people
from somos.modules.sdr.rules.guards import ADDRESS_PAUSED
from somos.modules.sdr.rules.message_ids import as_id
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.senders import Sender
from somos.ports.whatsapp import ChatMessage


def report_receipt(
    ctx: Context,
    channel: str,
    provider_id: str,
    receipt: str,
    at: datetime,
    detail: str | None = None,
    rfc_id: str | None = None,
) -> OutreachMessage | None:
    """Keep a receipt and move its message; one that comes before we know the message is caught up with later."""
    rfc_id = as_id(rfc_id)
    ctx.lock(PERSON, keys_of_ids(provider_id))
    message_id = ctx.db.execute(
        select(OutreachMessage.id).where(OutreachMessage.channel == channel, OutreachMessage.provider_id == provider_id)
    ).scalar()
    answers = lock_with_answers(ctx, message_id, rfc_id) if message_id else []
    kept = keep_receipt(ctx, channel, provider_id, receipt, at, detail, rfc_id)
    if message_id is None:
        return None
    message = ctx.db.get_one(OutreachMessage, message_id, with_for_update=True, populate_existing=True)
    if rfc_id and message.rfc_id is None:
        message.rfc_id = rfc_id
    match_waiting(ctx, message, answers)
    if kept is not None:
        apply_receipt(ctx, message, kept)
        ctx.db.flush()
        if message.state == "failed_permanent":
            announce_stop(ctx, message.enrolment_id)
        elif receipt == "delivered" and message.email_key and channel == "email":
            # Mail arrives there again.
            paused = OutreachMessage.waiting_for == ADDRESS_PAUSED
            release(ctx, OutreachMessage.email_key == message.email_key, paused)
    return message


def report_sent(ctx: Context, account: str, sent: ChatMessage) -> OutreachMessage | None:
    """WhatsApp tells of a message of ours: it settles one whose answer we are missing."""
    phone = normalise_phone(sent.phone)
    known = select(OutreachMessage).where(
        OutreachMessage.channel == "whatsapp", OutreachMessage.provider_id == sent.provider_id
    )
    if (message := ctx.db.scalars(known).first()) is not None:
        _remember_whose(ctx, message, sent)
        return None
    missing = (
        select(OutreachMessage.id)
        .join(Sender, Sender.id == OutreachMessage.sender_id)
        .where(
            Sender.address == account,
            OutreachMessage.channel == "whatsapp",
            OutreachMessage.state.in_(("sending", "unknown")),
            OutreachMessage.text == sent.text,
            (OutreachMessage.to_address == phone) if phone else (OutreachMessage.jid == sent.jid),
        )
    )
    message_id = ctx.db.scalars(missing.order_by(OutreachMessage.id).limit(1)).first()
    if message_id is None:
        return None
    lock_people(ctx.db, OutreachMessage, [message_id])
    message = ctx.db.get_one(OutreachMessage, message_id, with_for_update=True, populate_existing=True)
    if message.state not in ("sending", "unknown"):
        return None
    if message.erased_at is None:
        message.jid = sent.jid
    _remember_whose(ctx, message, sent)
    mark_sent(ctx, message, sent.provider_id)
    ctx.settle(message.id)
    return message


def _remember_whose(ctx: Context, message: OutreachMessage, sent: ChatMessage) -> None:
    """A message of ours shows the hidden number of whom it went to."""
    if sent.lid and message.erased_at is None:
        lock_people(ctx.db, OutreachMessage, [message.id])
        remember_hidden(ctx, sent.lid, message.phone_key)


def report_health(ctx: Context, account: str, health: str, reason: str | None) -> None:
    """A connection came or went; one that comes back lets its queue go on, one that was blocked does not."""
    statement = select(Sender).where(Sender.channel == "whatsapp", Sender.address == account)
    sender = ctx.db.scalars(statement.with_for_update()).first()
    if sender is None or (health == "ok" and sender.health != "disconnected"):
        return
    if not change_health(sender, health, reason):
        return
    announce_health(ctx, sender)
    if health == "ok":
        release(ctx, OutreachMessage.sender_id == sender.id)
