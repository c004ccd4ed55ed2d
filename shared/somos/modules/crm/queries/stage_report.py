"""Conversion and time per stage, from the history of visible deals."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from somos.modules.crm.schemas.reports import StageReportLine
from somos.modules.crm.tables import Deal, DealStage, DealStageHistory


def stage_report(
    db: Session,
    visible: Select[Deal],
    pipeline_id: UUID,
    entered_from: datetime | None,
    entered_to: datetime | None,
    now: datetime,
) -> list[StageReportLine]:
    """One line per stage. A deal that passed twice counts twice: each passage has an outcome."""
    after, next_stage = aliased(DealStageHistory), aliased(DealStage)
    advanced = or_(after.state == "won", and_(after.state == "open", next_stage.position > DealStage.position))
    went_back = and_(after.state == "open", next_stage.position <= DealStage.position)
    stayed = func.coalesce(DealStageHistory.left_at, now) - DealStageHistory.entered_at
    period = [
        DealStageHistory.entered_at >= entered_from if entered_from else None,
        DealStageHistory.entered_at < entered_to if entered_to else None,
    ]
    deals = visible.where(Deal.pipeline_id == pipeline_id).with_only_columns(Deal.id)
    rows = (
        select(
            DealStage.id,
            DealStage.name,
            func.count(DealStageHistory.id),
            _count(advanced),
            _count(went_back),
            _count(after.state == "lost"),
            _count(and_(DealStageHistory.id.is_not(None), after.id.is_(None))),
            func.avg(func.extract("epoch", stayed)),
        )
        .select_from(DealStage)
        .outerjoin(
            DealStageHistory,
            and_(
                DealStageHistory.stage_id == DealStage.id,
                DealStageHistory.state == "open",
                DealStageHistory.deal_id.in_(deals),
                *(condition for condition in period if condition is not None),
            ),
        )
        .outerjoin(after, and_(after.deal_id == DealStageHistory.deal_id, after.step == DealStageHistory.step + 1))
        .outerjoin(next_stage, next_stage.id == after.stage_id)
        .where(DealStage.pipeline_id == pipeline_id)
        .group_by(DealStage.id)
        .order_by(DealStage.position, DealStage.id)
    )
    return [_line(*row) for row in db.execute(rows)]


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _line(
    stage_id: UUID, name: str, entered: int, advanced: int, back: int, lost: int, still: int, seconds: Any
) -> StageReportLine:
    gone = entered - still
    return StageReportLine(
        stage_id=stage_id,
        name=name,
        entered=entered,
        advanced=advanced,
        went_back=back,
        lost=lost,
        still_there=still,
        conversion_percent=advanced * 100 // gone if gone else None,
        average_hours=int(seconds) // 3600 if seconds is not None else None,
    )
