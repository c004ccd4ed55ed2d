"""Where a deal has been."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.crm.tables import DealStage, DealStageHistory


def spans(db: Session, deal_id: UUID) -> list[tuple[DealStageHistory, str]]:
    """Every span of a deal in order, with the name of its stage."""
    found = db.execute(
        select(DealStageHistory, DealStage.name)
        .join(DealStage, DealStage.id == DealStageHistory.stage_id)
        .where(DealStageHistory.deal_id == deal_id)
        .order_by(DealStageHistory.step)
    )
    return [(span, name) for span, name in found]
