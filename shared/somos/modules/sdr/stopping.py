"""What ends with an answer, an opt-out, a bounce or a deal: enrolments stop, what has not left is cancelled."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.sdr.people import written_to
from somos.modules.sdr.rules.machines import CANCELLABLE, ENROLMENT, LIVE_ENROLMENTS, MESSAGE, move
from somos.modules.sdr.tables import Approval, Enrolment, OutreachMessage


def stop_person(
    db: Session,
    keys: Collection[str],
    enrolment_state: str,
    reason: str,
    now: datetime,
    *,
    conversations: bool = True,
) -> int:
    """End everything under way for the people of these keys, on every channel. The caller holds their lock.

    Without `conversations`, what a person answers to a person goes on. Returns how many messages will not leave.
    """
    enrolments = select(Enrolment).where(written_to(Enrolment, keys), Enrolment.state.in_(LIVE_ENROLMENTS))
    for enrolment in db.scalars(enrolments.order_by(Enrolment.id).with_for_update()):
        stop_enrolment(enrolment, enrolment_state, reason)
    waiting = select(OutreachMessage).where(written_to(OutreachMessage, keys), OutreachMessage.state.in_(CANCELLABLE))
    if not conversations:
        waiting = waiting.where(OutreachMessage.kind != "reply")
    cancelled = 0
    for message in db.scalars(waiting.order_by(OutreachMessage.id).with_for_update()):
        cancel(db, message, reason, now)
        cancelled += 1
    return cancelled


def cancel_of_enrolment(db: Session, enrolment_id: UUID, reason: str, now: datetime) -> None:
    """Cancel what one cadence still had on its way."""
    waiting = select(OutreachMessage).where(
        OutreachMessage.enrolment_id == enrolment_id, OutreachMessage.state.in_(CANCELLABLE)
    )
    for message in db.scalars(waiting.order_by(OutreachMessage.id).with_for_update()):
        cancel(db, message, reason, now)


def stop_enrolment(enrolment: Enrolment | None, state: str, reason: str) -> None:
    """End one enrolment, unless it already ended; a first message that lapsed makes it `expired`."""
    if enrolment is None or enrolment.state not in LIVE_ENROLMENTS:
        return
    if state == "expired" and enrolment.state != "pending_approval":
        state = "stopped_manual"
    enrolment.state = move(ENROLMENT, enrolment.state, state)
    enrolment.stopped_reason = reason
    enrolment.due_at = None


def cancel(db: Session, message: OutreachMessage, reason: str, now: datetime) -> None:
    """This message never leaves; the request to approve it, if open, is withdrawn."""
    message.state = move(MESSAGE, message.state, "cancelled")
    message.ended_reason = reason
    message.due_at = None
    message.left_at = None
    close_request(db, message, "withdrawn", now)


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
