"""The time, settable: business code never asks the operating system."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SAO_PAULO = ZoneInfo("America/Sao_Paulo")

_everywhere: list[Callable[[], datetime]] = [lambda: datetime.now(UTC)]


def now() -> datetime:
    return _everywhere[0]()


def today() -> date:
    return day_of(now())


def day_of(moment: datetime) -> date:
    """The calendar day in São Paulo, which is what people mean by the day of a moment."""
    return moment.astimezone(SAO_PAULO).date()


def use(source: Callable[[], datetime]) -> Callable[[], datetime]:
    """Replace the clock of this process; returns the one before."""
    before = _everywhere[0]
    _everywhere[0] = source
    return before
