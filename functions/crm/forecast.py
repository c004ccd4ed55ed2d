"""What the pipeline is worth, month by month."""

from somos.mesh import Context, http
from somos.modules.crm.queries import forecast
from somos.modules.crm.schemas.deals import DealCriteria
from somos.modules.crm.schemas.forecast import Forecast, MonthView, Summary


@http.get("/api/v1/deals/forecast", allow="crm:read")
def forecast_get(filter: DealCriteria, ctx: Context) -> Forecast:
    """Open deals: value x probability by the month they are expected to close."""
    months = forecast.by_month(ctx.db, ctx.chosen(filter))
    return Forecast(
        months=[
            MonthView(
                month=month.month.strftime("%Y-%m") if month.month else None,
                count=month.count,
                total_cents=month.total_cents,
                weighted_cents=month.weighted_cents,
            )
            for month in months
        ],
        count=sum(month.count for month in months),
        total_cents=sum(month.total_cents for month in months),
        weighted_cents=sum(month.weighted_cents for month in months),
    )


@http.get("/api/v1/deals/summary", allow="crm:read")
def summary_get(filter: DealCriteria, ctx: Context) -> Summary:
    """How many deals fit the filters, and their totals."""
    count, total, weighted = forecast.totals(ctx.db, ctx.chosen(filter))
    return Summary(count=count, total_cents=total, weighted_cents=weighted)
