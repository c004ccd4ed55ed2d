"""The board, the forecast, the timeline, search and what stages tell."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from somos.mesh import Filter, View
from somos.modules.crm.rules.deals import State
from somos.modules.crm.schemas import Day
from somos.modules.crm.schemas.deals import DealCriteria


class BoardQuery(DealCriteria):
    """`limit` is the number of cards per column; counts and totals are always of the whole column."""

    pipeline_id: UUID


class Card(View):
    id: UUID
    title: str
    value_cents: int
    owner_id: UUID | None
    company_id: UUID | None
    company_name: str | None
    contact_name: str | None
    expected_close_date: date | None
    days_in_stage: int
    stale: bool
    next_step_at: datetime | None
    version: int


class Column(View):
    stage_id: UUID
    name: str
    probability: int
    max_days: int | None
    count: int
    total_cents: int
    cards: list[Card]


class Board(View):
    pipeline_id: UUID
    count: int
    total_cents: int
    columns: list[Column]


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


class TimelineFilter(Filter):
    sort: Literal["-at"] = "-at"


class FieldChange(View):
    field: str
    label: str
    old: Any
    new: Any


class TimelineItem(View):
    """`function` and `correlation` say by which run of the mesh, when no person did it by hand."""

    id: str
    at: datetime
    kind: str
    title: str
    body: str | None = None
    deal_id: UUID | None = None
    actor_id: UUID | None = None
    actor_kind: str | None = None
    function: str | None = None
    correlation: UUID | None = None
    channel: str | None = None
    reference_id: UUID | None = None
    private: bool = False
    changes: list[FieldChange] = Field(default_factory=list)


class SpanView(View):
    step: int
    stage_id: UUID
    stage_name: str
    state: State
    entered_at: datetime
    left_at: datetime | None
    seconds: int


class DealHistory(View):
    """Spans touch without gap or overlap; their seconds add up to the age, rounding aside."""

    deal_id: UUID
    age_seconds: int
    spans: list[SpanView]


class StageReportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pipeline_id: UUID
    entered_from: Day | None = None
    entered_to: Day | None = None


class StageReportLine(View):
    """Of the deals that entered the stage in the period: where they went, and how long they stayed."""

    stage_id: UUID
    name: str
    entered: int
    advanced: int
    went_back: int
    lost: int
    still_there: int
    conversion_percent: int | None
    average_hours: int | None


class StageReport(View):
    pipeline_id: UUID
    stages: list[StageReportLine]


class SearchQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    q: str = Field(min_length=2, max_length=100)
    limit: int = Field(10, ge=1, le=50, description="Por tipo")


class SearchHit(View):
    kind: Literal["deal", "company", "contact"]
    id: UUID
    title: str
    detail: str | None


class SearchAnswer(View):
    hits: list[SearchHit]
