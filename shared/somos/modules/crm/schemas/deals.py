"""Deals: what a person sends, filters by and gets back."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, exists, select

from somos.kernel.text import fold
from somos.mesh import Body, Filter, Model, OneOf, Patch, Record, View
from somos.mesh.text_search import holds
from somos.modules.crm.rules.deals import DEAL
from somos.modules.crm.schemas.fields import Day, Long, Moment, Money, Owner, Percent, Short
from somos.modules.crm.tables.deal_activities import DealActivity
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.taggings import Tagging

DealState = Annotated[str, OneOf(DEAL.states)]


class DealCriteria(Filter):
    """What deals can be chosen by: lists, summaries, exports and saved views all use these."""

    table = Deal
    sort: Literal[
        "-id", "id", "title_key", "-value_cents", "value_cents", "expected_close_date",
        "-expected_close_date", "stage_entered_at", "-stage_entered_at",
    ] = "-id"  # fmt: skip

    pipeline_id: UUID | None = None
    stage_id: UUID | None = None
    state: DealState | None = None
    owner_id: UUID | None = None
    company_id: UUID | None = None
    contact_id: UUID | None = None
    lead_id: UUID | None = None
    lost_reason_id: UUID | None = None
    origin: Literal["manual", "lead", "import"] | None = None
    value_cents_from: Money | None = None
    value_cents_to: Money | None = None
    expected_close_date_from: Day | None = None
    expected_close_date_to: Day | None = None
    created_at_from: Moment | None = None
    created_at_to: Moment | None = None
    q: str | None = Field(None, max_length=100, description="Palavras do título")
    tag_id: UUID | None = None
    without_next_step: bool | None = Field(None, description="Abertos sem próxima tarefa marcada")

    def clauses(self) -> list[ColumnElement[bool]]:
        conditions = super().clauses()
        conditions += [holds(Deal.title_key, word) for word in fold(self.q or "").split()]
        if self.tag_id is not None:
            conditions.append(exists(select(1).where(Tagging.deal_id == Deal.id, Tagging.tag_id == self.tag_id)))
        if self.without_next_step is not None:
            planned = has_next_step()
            conditions += [Deal.state == "open", ~planned if self.without_next_step else planned]
        return conditions

    def sought(self) -> list[list[str]]:
        return [words] if (words := fold(self.q or "").split()) else []


def has_next_step() -> ColumnElement[bool]:
    """An activity with a date, not done yet."""
    pending = (
        DealActivity.deal_id == Deal.id,
        DealActivity.due_at.is_not(None),
        DealActivity.done_at.is_(None),
    )
    return exists(select(1).where(*pending))


class DealFields(Model):
    title: Short
    value_cents: Money = 0
    expected_close_date: Day | None = None
    company_id: UUID | None = None
    contact_id: UUID | None = None
    owner_id: Owner = None


class DealDraft(DealFields, Body):
    pipeline_id: UUID | None = Field(None, description="Sem ele, o primeiro funil")
    stage_id: UUID | None = Field(None, description="Sem ela, a primeira etapa do funil")


class DealPatch(DealFields, Patch):
    probability: Percent


class DealMove(Body):
    stage_id: UUID
    version: int | None = Field(None, ge=1, le=2**31 - 1, description="A versão do cartão que a pessoa via")


class DealWin(Body):
    closed_on: Day | None = Field(None, description="Sem ela, vale a previsão de fechamento")
    override_reason: Short | None = Field(None, description="Por que ganhar sem orçamento aceito")


class DealLose(Body):
    lost_reason_id: UUID
    note: Long | None = None


class DealReopen(Body):
    reason: Short
    expected_close_date: Day


class DealView(DealFields, Record):
    pipeline_id: UUID
    stage_id: UUID
    stage_entered_at: datetime
    probability: int
    state: DealState
    closed_at: datetime | None
    closed_on: date | None
    lost_reason_id: UUID | None
    lost_note: str | None
    win_override_reason: str | None
    lead_id: UUID | None
    campaign_id: UUID | None
    origin: str
    created_at: datetime
    updated_at: datetime


class BulkChanges(Patch):
    stage_id: UUID
    probability: Percent
    expected_close_date: Day | None
    owner_id: UUID | None
    add_tag_ids: list[UUID] = Field(max_length=20)
    remove_tag_ids: list[UUID] = Field(max_length=20)


class BulkEdit(Body):
    ids: list[UUID] = Field(min_length=1, max_length=200)
    changes: BulkChanges


class BulkDone(View):
    changed: int
