"""What the pipeline is worth."""

from pydantic import Field

from somos.mesh import View


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


class Summary(View):
    count: int
    total_cents: int
    weighted_cents: int
