"""Which days are worked in Brazil. The calendar's package is heavy, so it is loaded on first use."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache

IsHoliday = Callable[[date], bool]


@lru_cache(maxsize=64)
def _days(uf: str | None, year: int) -> frozenset[date]:
    import holidays

    subdivision = uf if uf in holidays.country_holidays("BR").subdivisions else None
    # Carnival and Corpus Christi are optional by law and observed by everybody; the civil servants' day is not.
    calendar = holidays.country_holidays("BR", subdiv=subdivision, years=year, categories=("public", "optional"))
    return frozenset(day for day, name in calendar.items() if "Servidor" not in name)


def holidays_of(uf: str | None) -> IsHoliday:
    """Whether a day is a holiday in this state, or in the whole country when it is not known."""
    state = uf.upper() if uf else None
    return lambda day: day in _days(state, day.year)
