"""Asking a person to approve a message, and binding the answer to person, channel, sender and exact text."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.sdr.queries.approvals import hash_of
from somos.modules.sdr.rules.approvals import expires_at
from somos.modules.sdr.rules.machines import MESSAGE
from somos.modules.sdr.tables.approvals import Approval
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.senders import Sender


def ask(db: Session, message: OutreachMessage, sender: Sender, requested_by: str, now: datetime) -> Approval:
    """Put the message, as it is written now, before a person; an earlier request or approval is void."""
    close_request(db, message, "stale", now)
    db.flush()
    if message.state != "drafted":
        message.state = MESSAGE.move(message.state, "drafted")
    message.state = MESSAGE.move(message.state, "awaiting_approval")
    message.text_hash = hash_of(message, sender)
    message.approval_id = None
    message.approved_at = None
    message.due_at = None
    message.waiting_for = None
    request = Approval(
        subject_type="outreach_message",
        subject_id=message.id,
        subject_version=message.version or 1,
        subject_hash=message.text_hash,
        requested_by=requested_by,
        expires_at=expires_at(now),
    )
    db.add(request)
    db.flush()
    return request


def bind(message: OutreachMessage, request: Approval, decided_by: UUID, now: datetime) -> None:
    """The person's yes: the message may leave exactly as it is."""
    request.state = "approved"
    request.decided_by = decided_by
    request.decided_at = now
    request.expires_at = expires_at(now)
    message.state = MESSAGE.move(message.state, "approved")
    message.approval_id = request.id
    message.approved_at = now
    message.text_hash = request.subject_hash


def pending_request(db: Session, message: OutreachMessage) -> Approval | None:
    """The open request to approve this message, locked."""
    pending = select(Approval).where(
        Approval.subject_type == "outreach_message",
        Approval.subject_id == message.id,
        Approval.state == "pending",
    )
    return db.scalars(pending.with_for_update()).first()


def close_request(db: Session, message: OutreachMessage, state: str, now: datetime) -> None:
    """End the open request to approve this message, if there is one."""
    request = pending_request(db, message)
    if request is not None:
        request.state = state
        request.decided_at = now
