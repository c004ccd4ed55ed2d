"""What is planned for deals."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from somos.modules.crm.tables.deal_activities import DealActivity


def is_planned(db: Session, deal_id: UUID) -> bool:
    """Whether something is to be done about the deal."""
    pending = (DealActivity.due_at.is_not(None), DealActivity.done_at.is_(None))
    return bool(db.scalar(select(exists().where(DealActivity.deal_id == deal_id, *pending))))
