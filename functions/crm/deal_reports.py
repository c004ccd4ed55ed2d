"""What the pipeline tells: its board, forecast, stages, and the story of each deal."""

from uuid import UUID

from somos.mesh import Context, Download, Page, http
from somos.modules.crm.queries import deal_stage_history, deals, forecast
from somos.modules.crm.queries.board import board
from somos.modules.crm.queries.stage_report import stage_report
from somos.modules.crm.queries.timeline import timeline_of_deal
from somos.modules.crm.schemas.board import Board, BoardQuery
from somos.modules.crm.schemas.deal_stage_history import DealHistory
from somos.modules.crm.schemas.deals import DealCriteria
from somos.modules.crm.schemas.forecast import Forecast, Summary
from somos.modules.crm.schemas.stage_report import StageReport, StageReportQuery
from somos.modules.crm.schemas.timeline import TimelineFilter, TimelineItem
from somos.modules.crm.tables.deal_stage_history import DealStageHistory
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.pipelines import Pipeline


@http.get("/api/v1/deals/board", allow="crm:read")
def deals_board(query: BoardQuery, ctx: Context) -> Board:
    """Each stage with its count and R$ total, and its oldest cards first, those past the limit marked."""
    ctx.get(Pipeline, query.pipeline_id)
    return board(ctx.db, ctx.chosen(query), query.pipeline_id, query.limit, ctx.now)


@http.get("/api/v1/deals/forecast", allow="crm:read")
def deals_forecast(filter: DealCriteria, ctx: Context) -> Forecast:
    """Open deals: value x probability by the month they are expected to close."""
    return Forecast.of(forecast.by_month(ctx.db, ctx.chosen(filter)))


@http.get("/api/v1/deals/summary", allow="crm:read")
def deals_summary(filter: DealCriteria, ctx: Context) -> Summary:
    """How many deals fit the filters, and their totals."""
    count, total, weighted = forecast.totals(ctx.db, ctx.chosen(filter))
    return Summary(count=count, total_cents=total, weighted_cents=weighted)


@http.get("/api/v1/deals/stage-report", allow="crm:read", patience=60)
def deals_stage_report(query: StageReportQuery, ctx: Context) -> StageReport:
    """Conversion and time per stage of a pipeline, over the days the stage was entered."""
    ctx.get(Pipeline, query.pipeline_id)
    stages = stage_report(ctx.db, ctx.visible(DealStageHistory, most=True), query, ctx.now)
    return StageReport(pipeline_id=query.pipeline_id, stages=stages)


@http.get("/api/v1/deals/export", allow="crm:read", patience=60)
def deals_export(filter: DealCriteria, ctx: Context) -> Download:
    """CSV for Excel in Brazil; a cell that could be read as a formula is defused."""
    sheet = deals.sheet(ctx.db, ctx.chosen(filter))
    return Download(sheet, "text/csv; charset=utf-8", f"negocios-{ctx.today}.csv")


@http.get("/api/v1/deals/{id}/history", allow="crm:read")
def deals_history(id: UUID, ctx: Context) -> DealHistory:
    """Every stage a deal stood in; the seconds add up to its age."""
    return deal_stage_history.history_of(ctx.db, ctx.get(Deal, id), ctx.now)


@http.get("/api/v1/deals/{id}/timeline", allow="crm:read")
def deals_timeline(id: UUID, filter: TimelineFilter, ctx: Context) -> Page[TimelineItem]:
    """Activities, messages, changes of fields and one's own notes."""
    return timeline_of_deal(ctx, ctx.get(Deal, id), filter)
