"""The weighted forecast, in integer cents with one rounding rule."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class MonthForecast:
    """One month; `month` is its first day, or None for deals without an expected date."""

    month: date | None
    count: int
    total_cents: int
    weighted_cents: int


def weighted_cents(value_cents: int, probability: int) -> int:
    """value x probability, rounded half to even once per deal.

    Rounding each deal, and never a sum, makes any grouping (month, stage, owner) add up to the same total.
    """
    whole, rest = divmod(value_cents * probability, 100)
    return whole + (1 if rest > 50 or (rest == 50 and whole % 2) else 0)


def by_month(deals: Iterable[tuple[date | None, int, int]]) -> list[MonthForecast]:
    """(expected date, cents, probability) summed per month, the undated last."""
    sums: dict[date | None, list[int]] = defaultdict(lambda: [0, 0, 0])
    for expected, value, probability in deals:
        row = sums[expected.replace(day=1) if expected else None]
        row[0] += 1
        row[1] += value
        row[2] += weighted_cents(value, probability)
    ordered = sorted(sums, key=lambda month: (month is None, month or date.min))
    return [MonthForecast(month, *sums[month]) for month in ordered]
