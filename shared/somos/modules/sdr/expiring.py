"""Decisions that came too late, or never."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.sdr import people
from somos.modules.sdr.rules.machines import CANCELLABLE
from somos.modules.sdr.stopping import cancel, close_request, stop_enrolment
from somos.modules.sdr.tables import Approval, Enrolment, OutreachMessage

REASON = "O prazo para aprovar passou."
AT_ONCE = 200


def expire_due(db: Session, now: datetime) -> int:
    """Let every request whose time is over lapse; how many."""
    due = select(Approval.subject_id).where(
        Approval.subject_type == "outreach_message", Approval.state == "pending", Approval.expires_at <= now
    )
    lapsed = 0
    ids = db.scalars(due.order_by(Approval.subject_id).limit(AT_ONCE)).all()
    people.lock_for_all(db, ids)
    # Rows in one order too, so that two runs never wait for each other.
    for message_id in ids:
        message = db.get(OutreachMessage, message_id, with_for_update=True, populate_existing=True)
        if message is None or message.state not in CANCELLABLE:
            continue
        close_request(db, message, "expired", now)
        db.flush()
        cancel(db, message, REASON, now)
        if message.enrolment_id:
            stop_enrolment(db.get(Enrolment, message.enrolment_id), "expired", REASON)
        lapsed += 1
    return lapsed
