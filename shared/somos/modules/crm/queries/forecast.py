"""Sums of money over visible deals, in cents, rounded as `rules.forecast` says."""

from sqlalchemy import TIMESTAMP, ColumnElement, Date, Select, and_, case, cast, func, literal_column, or_
from sqlalchemy.orm import Session

from somos.modules.crm.rules.forecast import MonthForecast
from somos.modules.crm.tables.deals import Deal


def weighted() -> ColumnElement[int]:
    """`rules.forecast.weighted_cents` in SQL: half to even, once per deal."""
    product = Deal.value_cents * Deal.probability
    whole, rest = product.op("/")(100), product % 100
    up = or_(rest > 50, and_(rest == 50, whole % 2 == 1))
    return whole + case((up, 1), else_=0)


def by_month(db: Session, deals: Select[Deal]) -> list[MonthForecast]:
    """Open deals summed by the month they are expected to close, the undated last."""
    month = cast(func.date_trunc(literal_column("'month'"), cast(Deal.expected_close_date, TIMESTAMP)), Date)
    rows = (
        deals.where(Deal.state == "open")
        .with_only_columns(month, func.count(), func.sum(Deal.value_cents), func.sum(weighted()))
        .group_by(month)
        .order_by(month.nulls_last())
    )
    return [MonthForecast(first, count, int(total), int(sure)) for first, count, total, sure in db.execute(rows)]


def totals(db: Session, deals: Select[Deal]) -> tuple[int, int, int]:
    """How many, how much, and how much weighted."""
    row = db.execute(
        deals.with_only_columns(
            func.count(),
            func.coalesce(func.sum(Deal.value_cents), 0),
            func.coalesce(func.sum(weighted()), 0),
        )
    ).one()
    return int(row[0]), int(row[1]), int(row[2])
