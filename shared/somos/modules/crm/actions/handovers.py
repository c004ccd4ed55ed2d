"""Passes a portfolio from one person to another: everything or nothing."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from somos.modules.crm.tables import Company, Contact, Deal, DealActivity, Handover


def hand_over(db: Session, from_user_id: UUID, to_user_id: UUID, reason: str, made_by: UUID) -> Handover:
    """Deals in any state, companies, contacts and the tasks not done yet. The record says how much it was."""
    pending = (DealActivity.assignee_id == from_user_id, DealActivity.done_at.is_(None))
    record = Handover(
        from_user_id=from_user_id,
        to_user_id=to_user_id,
        made_by=made_by,
        reason=reason,
        deals=_pass(db, Deal, Deal.owner_id == from_user_id, owner_id=to_user_id),
        companies=_pass(db, Company, Company.owner_id == from_user_id, owner_id=to_user_id),
        contacts=_pass(db, Contact, Contact.owner_id == from_user_id, owner_id=to_user_id),
        tasks=_pass(db, DealActivity, *pending, assignee_id=to_user_id),
    )
    db.add(record)
    db.flush()
    return record


def _pass(db: Session, table: Any, *which: Any, **values: UUID) -> int:
    rows = select(table.id).where(*which).with_for_update().subquery()
    count = db.scalar(select(func.count()).select_from(rows)) or 0
    db.execute(update(table).where(*which).values(**values, version=table.version + 1))
    return count
