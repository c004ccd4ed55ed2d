"""What waits in the queue until a person, or a provider, lifts what holds it."""

from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from somos.modules.sdr.tables import OutreachMessage


def release(db: Session, *conditions: ColumnElement[bool]) -> list[UUID]:
    """Approved messages of these conditions, to be looked at again now.

    Also those just approved: one may be meeting the obstacle in this very moment.
    """
    held = select(OutreachMessage).where(OutreachMessage.state.in_(("approved", "queued")), *conditions)
    found = db.scalars(held.order_by(OutreachMessage.id).with_for_update()).all()
    for message in found:
        message.due_at = None
    return [message.id for message in found]
