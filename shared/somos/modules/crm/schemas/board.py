"""The kanban board."""

from datetime import date, datetime
from uuid import UUID

from somos.mesh import View
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
