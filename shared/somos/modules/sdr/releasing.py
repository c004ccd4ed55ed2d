"""What waits in the queue until a person, or a provider, lifts what holds it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from somos.events.sdr import MessageApproved
from somos.mesh import Context
from somos.modules.sdr.tables import OutreachMessage

# WhatsApp takes a burst from one number for a robot's.
BETWEEN = timedelta(seconds=45)
ONE_BY_ONE = "As mensagens que esperavam saem uma a uma."


def release(ctx: Context, db: Session, *conditions: ColumnElement[bool]) -> None:
    """Let approved messages of these conditions be looked at again: now, or by turns where a burst is dangerous.

    Also those just approved: one may be meeting the obstacle in this very moment. Who has a turn keeps it, however
    often the obstacle comes and goes.
    """
    held = select(OutreachMessage).where(OutreachMessage.state.in_(("approved", "queued")), *conditions)
    found = db.scalars(held.order_by(OutreachMessage.id).with_for_update()).all()
    turns: dict[UUID, datetime] = {}
    for message in found:
        if message.due_at is not None and _has_turn(message, ctx.now):
            turns[message.sender_id] = max(turns.get(message.sender_id, ctx.now), message.due_at + BETWEEN)
    for message in found:
        if _has_turn(message, ctx.now):
            continue
        message.due_at = _next_turn(message, turns, ctx.now)
        if message.due_at is not None:
            message.waiting_for = ONE_BY_ONE
        ctx.emit(MessageApproved(message_id=message.id), after=message.due_at)


def _has_turn(message: OutreachMessage, now: datetime) -> bool:
    return message.waiting_for == ONE_BY_ONE and message.due_at is not None and message.due_at > now


def _next_turn(message: OutreachMessage, turns: dict[UUID, datetime], now: datetime) -> datetime | None:
    """When it goes; None for now."""
    if message.channel != "whatsapp" or message.kind == "reply" or message.state == "approved":
        return None
    turn = turns.get(message.sender_id, now)
    turns[message.sender_id] = turn + BETWEEN
    return turn if turn > now else None
