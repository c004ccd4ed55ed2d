"""Writes where a deal stands and where it stood, always both, in one transaction."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.crm.tables.deal_stage_history import DealStageHistory
from somos.modules.crm.tables.deals import Deal


def first_span(deal: Deal) -> DealStageHistory:
    """Where a new deal starts."""
    return DealStageHistory(
        deal_id=deal.id, step=1, stage_id=deal.stage_id, state=deal.state, entered_at=deal.stage_entered_at
    )


def enter(db: Session, deal: Deal, stage_id: UUID, state: str, now: datetime) -> None:
    """Close the running span and start another at the same instant; the caller holds the deal's lock."""
    running = db.scalars(
        select(DealStageHistory).where(DealStageHistory.deal_id == deal.id, DealStageHistory.left_at.is_(None))
    ).one()
    if (running.stage_id, running.state) == (stage_id, state):
        return
    at = max(now, running.entered_at)  # a clock set back never makes a span of negative length
    running.left_at, running.next_state, running.next_stage_id = at, state, stage_id
    db.flush()  # one span at most is running, also for an instant
    db.add(DealStageHistory(deal_id=deal.id, step=running.step + 1, stage_id=stage_id, state=state, entered_at=at))
    deal.stage_id, deal.state, deal.stage_entered_at = stage_id, state, at
