"""What a provider reports of a message: kept first, applied once the message is known, never going back."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.mesh.ids import uuid7
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.locks import lock_ids
from somos.modules.sdr.actions.suppressions import suppress
from somos.modules.sdr.rules.machines import MESSAGE, after_receipt, move
from somos.modules.sdr.tables import Enrolment, MessageReceipt, OutreachMessage

# `detail` of a failure that says the address itself is dead.
BOUNCE = "bounce"


def keep_receipt(
    db: Session,
    channel: str,
    provider_id: str,
    receipt: str,
    at: datetime,
    detail: str | None = None,
    rfc_id: str | None = None,
) -> MessageReceipt | None:
    """Store a receipt; None when it was stored before."""
    made = db.execute(
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
        .returning(MessageReceipt.id)
    ).scalar()
    return db.get(MessageReceipt, made) if made else None


def mark_sent(db: Session, message: OutreachMessage, provider_id: str, now: datetime) -> None:
    """The provider has it; what was reported before we knew its id is caught up with. The person is locked."""
    lock_ids(db, provider_id)
    message.state = move(MESSAGE, message.state, "sent")
    message.provider_id = provider_id
    message.sent_at = now
    message.due_at = message.waiting_for = None
    if message.left_at is None:
        message.left_at = now
    early = select(MessageReceipt).where(
        MessageReceipt.channel == message.channel, MessageReceipt.provider_id == provider_id
    )
    for receipt in db.scalars(early.order_by(MessageReceipt.at)):
        message.rfc_id = message.rfc_id or receipt.rfc_id
        apply_receipt(db, message, receipt, now)


def apply_receipt(db: Session, message: OutreachMessage, receipt: MessageReceipt, now: datetime) -> None:
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
            address_is_dead(db, message, receipt.detail or BOUNCE, now)


def fail(db: Session, message: OutreachMessage, reason: str, now: datetime, *, dead_address: bool = False) -> None:
    """The provider said no, for good: nothing left."""
    message.state = move(MESSAGE, message.state, "failed_permanent")
    message.ended_reason = reason
    message.left_at = None
    if dead_address:
        address_is_dead(db, message, reason, now)
    elif message.enrolment_id:
        stop_enrolment(db.get(Enrolment, message.enrolment_id), "stopped_manual", reason)


def address_is_dead(db: Session, message: OutreachMessage, reason: str, now: datetime) -> None:
    """Never use this address again; the person may still be reached on another channel, by a new decision."""
    kind = "email" if message.channel == "email" else "phone"
    key = message.email_key if kind == "email" else message.phone_key
    if key:
        suppress(
            db, [(key, kind)], source="bounce", reach="address", channel=message.channel, message_id=message.id,
            now=now,
        )  # fmt: skip
    if message.enrolment_id:
        stop_enrolment(db.get(Enrolment, message.enrolment_id), "stopped_bounce", reason)
