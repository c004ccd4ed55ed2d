"""Where deals stood, for how long, and what became of them."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from somos.mesh import Context, http
from somos.mesh.clock import SAO_PAULO
from somos.modules.crm.queries import deal_stage_history
from somos.modules.crm.queries.stage_report import stage_report
from somos.modules.crm.rules.deal_stage_history import duration
from somos.modules.crm.schemas.deal_stage_history import DealHistory, SpanView
from somos.modules.crm.schemas.stage_report import StageReport, StageReportQuery
from somos.modules.crm.tables import Deal, DealStageHistory, Pipeline


@http.get("/api/v1/deals/stage-report", allow="crm:read", patience=60)
def stage_report_get(query: StageReportQuery, ctx: Context) -> StageReport:
    """Conversion and time per stage of a pipeline, over the days the stage was entered."""
    ctx.get(Pipeline, query.pipeline_id)
    first = _midnight(query.entered_from)
    last = _midnight(query.entered_to + timedelta(days=1)) if query.entered_to else None
    stages = stage_report(ctx.db, ctx.visible(DealStageHistory, most=True), query.pipeline_id, first, last, ctx.now)
    return StageReport(pipeline_id=query.pipeline_id, stages=stages)


@http.get("/api/v1/deals/{id}/history", allow="crm:read")
def history_get(id: UUID, ctx: Context) -> DealHistory:
    """Every stage a deal stood in; the seconds add up to its age."""
    deal = ctx.get(Deal, id)
    now = ctx.now
    found = [
        SpanView(
            step=span.step,
            stage_id=span.stage_id,
            stage_name=name,
            state=span.state,
            entered_at=span.entered_at,
            left_at=span.left_at,
            seconds=int(duration(span.entered_at, span.left_at, now).total_seconds()),
        )
        for span, name in deal_stage_history.spans(ctx.db, deal.id)
    ]
    age = int(duration(deal.created_at, None, now).total_seconds())
    return DealHistory(deal_id=deal.id, age_seconds=age, spans=found)


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), SAO_PAULO) if day else None
