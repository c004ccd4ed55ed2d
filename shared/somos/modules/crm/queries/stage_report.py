"""Conversion and time per stage, from the history of visible deals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Numeric, Select, cast, func, select
from sqlalchemy.orm import Session

from somos.mesh.clock import SAO_PAULO
from somos.modules.crm.schemas.stage_report import StageReportLine, StageReportQuery
from somos.modules.crm.tables.deal_stage_history import DealStageHistory
from somos.modules.crm.tables.deal_stages import DealStage


@dataclass(frozen=True, slots=True)
class Passages:
    """Spans in one stage that had the same outcome; none while they last."""

    count: int
    seconds: Decimal
    next_state: str | None
    next_stage_id: UUID | None


def stage_report(
    db: Session,
    visible: Select[DealStageHistory],
    query: StageReportQuery,
    now: datetime,
) -> list[StageReportLine]:
    """One line per stage. A deal that passed twice counts twice: each passage has an outcome."""
    first = _midnight(query.entered_from)
    last = _midnight(query.entered_to + timedelta(days=1)) if query.entered_to else None
    stages = db.scalars(
        select(DealStage).where(DealStage.pipeline_id == query.pipeline_id).order_by(DealStage.position, DealStage.id)
    ).all()
    passed = _passages(db, visible, [stage.id for stage in stages], first, last, now)
    positions = {stage.id: stage.position for stage in stages}
    return [_line(stage, passed.get(stage.id, []), positions) for stage in stages]


def _passages(
    db: Session,
    visible: Select[DealStageHistory],
    stage_ids: Sequence[UUID],
    entered_from: datetime | None,
    entered_to: datetime | None,
    now: datetime,
) -> dict[UUID, list[Passages]]:
    span = DealStageHistory
    stayed = func.sum(func.coalesce(span.left_at, now) - span.entered_at)
    spans = visible.where(span.state == "open", span.stage_id.in_(stage_ids))
    if entered_from is not None:
        spans = spans.where(span.entered_at >= entered_from)
    if entered_to is not None:
        spans = spans.where(span.entered_at < entered_to)
    outcome = (span.stage_id, span.next_state, span.next_stage_id)
    rows = spans.with_only_columns(*outcome, func.count(), cast(func.extract("epoch", stayed), Numeric)).group_by(
        *outcome
    )
    by_stage: dict[UUID, list[Passages]] = {}
    for stage_id, next_state, next_stage_id, count, seconds in db.execute(rows):
        by_stage.setdefault(stage_id, []).append(Passages(count, seconds, next_state, next_stage_id))
    return by_stage


def _line(stage: DealStage, passed: list[Passages], positions: dict[UUID, int]) -> StageReportLine:
    counts = dict.fromkeys(("advanced", "went_back", "lost", "still_there"), 0)
    for one in passed:
        counts[_outcome(one, stage.position, positions)] += one.count
    entered = sum(counts.values())
    left = entered - counts["still_there"]
    seconds = sum(one.seconds for one in passed)
    return StageReportLine(
        stage_id=stage.id,
        name=stage.name,
        entered=entered,
        **counts,
        conversion_percent=counts["advanced"] * 100 // left if left else None,
        average_hours=int(seconds / entered) // 3600 if entered else None,
    )


def _outcome(passed: Passages, position: int, positions: dict[UUID, int]) -> str:
    if passed.next_state is None or passed.next_stage_id is None:
        return "still_there"
    if passed.next_state == "lost":
        return "lost"
    forward = passed.next_state == "won" or positions[passed.next_stage_id] > position
    return "advanced" if forward else "went_back"


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), SAO_PAULO) if day else None
