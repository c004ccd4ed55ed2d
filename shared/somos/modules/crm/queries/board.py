"""The board: each stage with its whole count and total, and its first cards."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select, true
from sqlalchemy.orm import Session

from somos.modules.crm.rules import deal_stage_history as rules
from somos.modules.crm.schemas.board import Board, Card, Column
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deal_activities import DealActivity
from somos.modules.crm.tables.deal_stages import DealStage
from somos.modules.crm.tables.deals import Deal


def board(
    db: Session,
    chosen: Select[Deal],
    pipeline_id: UUID,
    cards: int,
    now: datetime,
) -> Board:
    """Columns in order; counts, totals and cards come from the same visible rows."""
    shown = chosen.where(Deal.pipeline_id == pipeline_id, Deal.state == "open")
    stages = db.scalars(
        select(DealStage).where(DealStage.pipeline_id == pipeline_id).order_by(DealStage.position, DealStage.id)
    ).all()
    totals = _totals(db, shown)
    by_stage = _cards(db, shown, {stage.id: stage.max_days for stage in stages}, cards, now)
    columns = [
        Column(
            stage_id=stage.id,
            name=stage.name,
            probability=stage.probability,
            max_days=stage.max_days,
            count=totals.get(stage.id, (0, 0))[0],
            total_cents=totals.get(stage.id, (0, 0))[1],
            cards=by_stage.get(stage.id, []),
        )
        for stage in stages
    ]
    return Board(
        pipeline_id=pipeline_id,
        count=sum(column.count for column in columns),
        total_cents=sum(column.total_cents for column in columns),
        columns=columns,
    )


def _totals(db: Session, shown: Select[Deal]) -> dict[UUID, tuple[int, int]]:
    rows = shown.with_only_columns(Deal.stage_id, func.count(), func.sum(Deal.value_cents)).group_by(Deal.stage_id)
    return {stage_id: (count, int(total)) for stage_id, count, total in db.execute(rows)}


def _cards(
    db: Session, shown: Select[Deal], limits: dict[UUID, int | None], cards: int, now: datetime
) -> dict[UUID, list[Card]]:
    # The first of each stage, along the index: the others are not even looked at.
    first = (
        shown.with_only_columns(Deal.id)
        .where(Deal.stage_id == DealStage.id)
        .order_by(Deal.stage_entered_at, Deal.id)
        .limit(cards)
        .correlate(DealStage)
        .lateral()
    )
    next_step = (
        select(func.min(DealActivity.due_at))
        .where(DealActivity.deal_id == Deal.id, DealActivity.done_at.is_(None))
        .scalar_subquery()
    )
    rows = (
        select(Deal, Company.name, Contact.name, next_step)
        .select_from(DealStage)
        .join(first, true())
        .join(Deal, Deal.id == first.c.id)
        .outerjoin(Company, Company.id == Deal.company_id)
        .outerjoin(Contact, Contact.id == Deal.contact_id)
        .where(DealStage.id.in_(limits))
        .order_by(Deal.stage_entered_at, Deal.id)
    )
    cards_of_stage: dict[UUID, list[Card]] = {}
    for row, company, contact, due in db.execute(rows):
        card = Card(
            id=row.id,
            title=row.title,
            value_cents=row.value_cents,
            owner_id=row.owner_id,
            company_id=row.company_id,
            company_name=company,
            contact_name=contact,
            expected_close_date=row.expected_close_date,
            days_in_stage=rules.days_in_stage(row.stage_entered_at, now),
            stale=rules.is_stale(row.stage_entered_at, limits.get(row.stage_id), now),
            next_step_at=due,
            version=row.version,
        )
        cards_of_stage.setdefault(row.stage_id, []).append(card)
    return cards_of_stage
