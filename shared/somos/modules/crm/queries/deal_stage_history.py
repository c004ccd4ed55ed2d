"""Where a deal has been."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.crm.rules.deal_stage_history import duration
from somos.modules.crm.schemas.deal_stage_history import DealHistory, SpanView
from somos.modules.crm.tables.deal_stage_history import DealStageHistory
from somos.modules.crm.tables.deal_stages import DealStage
from somos.modules.crm.tables.deals import Deal


def history_of(db: Session, deal: Deal, now: datetime) -> DealHistory:
    """Every span of a deal in order, with the name of its stage."""
    rows = db.execute(
        select(DealStageHistory, DealStage.name)
        .join(DealStage, DealStage.id == DealStageHistory.stage_id)
        .where(DealStageHistory.deal_id == deal.id)
        .order_by(DealStageHistory.step)
    )
    spans = [
        SpanView(
            step=span.step,
            stage_id=span.stage_id,
            stage_name=name,
            state=span.state,
            entered_at=span.entered_at,
            left_at=span.left_at,
            seconds=int(duration(span.entered_at, span.left_at, now).total_seconds()),
        )
        for span, name in rows
    ]
    age = int(duration(deal.created_at, None, now).total_seconds())
    return DealHistory(deal_id=deal.id, age_seconds=age, spans=spans)
