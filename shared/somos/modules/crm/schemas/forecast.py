"""What the pipeline is worth."""

from collections.abc import Sequence

from pydantic import Field

from somos.mesh import View
from somos.modules.crm.rules.forecast import MonthForecast


class MonthView(View):
    month: str | None = Field(description="AAAA-MM; nulo para negócios sem previsão")
    count: int
    total_cents: int
    weighted_cents: int


class Forecast(View):
    """Each deal is rounded half to even once, so the months add up to the total exactly."""

    months: list[MonthView]
    count: int
    total_cents: int
    weighted_cents: int

    @classmethod
    def of(cls, months: Sequence[MonthForecast]) -> "Forecast":
        return cls(
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


class Summary(View):
    count: int
    total_cents: int
    weighted_cents: int
