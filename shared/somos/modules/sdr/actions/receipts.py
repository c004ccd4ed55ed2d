"""What a provider reports of a message: kept first, applied once the message is known, never going back."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from somos.events.sdr import MessageSent
from somos.mesh import Context
from somos.mesh.ids import uuid7
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.suppressions import suppress
from somos.modules.sdr.queries.people import PERSON, keys_of_ids
from somos.modules.sdr.rules.machines import MESSAGE, after_receipt
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.message_receipts import MessageReceipt
from somos.modules.sdr.tables.messages import OutreachMessage

# `detail` of a failure that says the address itself is dead.
BOUNCE = "bounce"


def keep_receipt(
    ctx: Context,
    channel: str,
    provider_id: str,
    receipt: str,
    at: datetime,
    detail: str | None = None,
    rfc_id: str | None = None,
) -> MessageReceipt | None:
    """Store a receipt; None when it was stored before."""
    return ctx.db.scalars(
        insert(MessageReceipt)
        .values(
            id=uuid7(),
            channel=channel,
            provider_id=provider_id,
            receipt=receipt,
            at=at,
            detail=detail,
            rfc_id=rfc_id,
        )
        .on_conflict_do_nothing(index_elements=["channel", "provider_id", "receipt"])
        .returning(MessageReceipt)
    ).first()


def mark_sent(ctx: Context, message: OutreachMessage, provider_id: str) -> None:
    """The provider has it, and that is stated; what was reported before we knew its id is caught up with.

    The person is locked.
    """
    ctx.lock(PERSON, keys_of_ids(provider_id))
    message.state = MESSAGE.move(message.state, "sent")
    message.provider_id = provider_id
    message.sent_at = ctx.now
    message.due_at = message.waiting_for = None
    message.left_at = message.left_at or ctx.now
    ctx.emit(
        MessageSent(
            message_id=message.id,
            lead_id=message.lead_id,
            channel=message.channel,
            keys=tuple(key for key in (message.phone_key, message.email_key) if key),
            left_at=message.left_at,
        )
    )
    early = select(MessageReceipt).where(
        MessageReceipt.channel == message.channel, MessageReceipt.provider_id == provider_id
    )
    for receipt in ctx.db.scalars(early.order_by(MessageReceipt.at)):
        message.rfc_id = message.rfc_id or receipt.rfc_id
        apply_receipt(ctx, message, receipt)


def apply_receipt(ctx: Context, message: OutreachMessage, receipt: MessageReceipt) -> None:
    """Move the message by what was reported; repeated or late, it changes nothing. The person is locked."""
    if receipt.receipt == "delayed":
        return  # it may still arrive; what else goes to this address waits
    if receipt.receipt == "opened":
        message.opened_at = message.opened_at or receipt.at
        return
    before = message.state
    message.unconfirmed_at = None
    message.state = after_receipt(before, receipt.receipt)
    if receipt.receipt in ("delivered", "read"):
        message.delivered_at = message.delivered_at or receipt.at
    if receipt.receipt == "read":
        message.opened_at = message.opened_at or receipt.at
    if message.state == "failed_permanent" and before != "failed_permanent":
        message.ended_reason = receipt.detail or "O provedor não entregou a mensagem."
        if (receipt.detail or "").startswith(BOUNCE):
            address_is_dead(ctx, message, receipt.detail or BOUNCE)


def fail(ctx: Context, message: OutreachMessage, reason: str, *, dead_address: bool = False) -> None:
    """The provider said no, for good: nothing left."""
    message.state = MESSAGE.move(message.state, "failed_permanent")
    message.ended_reason = reason
    message.left_at = None
    if dead_address:
        address_is_dead(ctx, message, reason)
    elif message.enrolment_id:
        stop_enrolment(ctx.db.get(Enrolment, message.enrolment_id), "stopped_manual", reason)


def address_is_dead(ctx: Context, message: OutreachMessage, reason: str) -> None:
    """Never use this address again; the person may still be reached on another channel, by a new decision."""
    kind = "email" if message.channel == "email" else "phone"
    key = message.email_key if kind == "email" else message.phone_key
    if key:
        suppress(
            ctx, [(key, kind)], source="bounce", reach="address", channel=message.channel, message_id=message.id,
        )  # fmt: skip
    if message.enrolment_id:
        stop_enrolment(ctx.db.get(Enrolment, message.enrolment_id), "stopped_bounce", reason)
