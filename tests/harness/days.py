"""The day on which a test's clock stands: a Monday, unless the run or the test asks for another."""

from datetime import UTC, datetime, time, timedelta

from somos.kernel.business_days import holidays_of
from somos.mesh import clock

# Ten in the morning in São Paulo: inside every sending window.
MONDAY = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)

_chosen = [MONDAY]


def chosen() -> datetime:
    """The day of the whole run (`pytest --today`)."""
    return _chosen[0]


def choose(iso: str) -> None:
    """`2028-02-29`, ten in the morning in São Paulo, or a moment: `2026-12-31T23:30-03:00`."""
    moment = datetime.fromisoformat(iso)
    if moment.tzinfo is None:
        moment = datetime.combine(moment.date(), moment.time() or time(10), clock.SAO_PAULO)
    _chosen[0] = moment.astimezone(UTC)


def awkward() -> dict[str, datetime]:
    """Days that must make no difference. The first three lie around the machine's own."""
    machine = clock.now().replace(hour=13, minute=0, second=0, microsecond=0)
    return {
        "a year ago": machine - timedelta(days=365),
        "tomorrow": machine + timedelta(days=1),
        "next year": machine + timedelta(days=365),
        "31 December, 23:30": datetime(2026, 12, 31, 23, 30, tzinfo=clock.SAO_PAULO).astimezone(UTC),
        "29 February": datetime(2028, 2, 29, 10, 0, tzinfo=clock.SAO_PAULO).astimezone(UTC),
    }


def free_week(moment: datetime) -> datetime:
    """Monday at ten in São Paulo, now or next, of a week without holidays: senders are open every weekday."""
    local = moment.astimezone(clock.SAO_PAULO)
    is_holiday = holidays_of("SP")
    monday = local.date() + timedelta(days=-local.weekday() % 7)
    if monday == local.date() and local.time() > time(10):
        monday += timedelta(days=7)
    while any(is_holiday(monday + timedelta(days=n)) for n in range(7)):
        monday += timedelta(days=7)
    return datetime.combine(monday, time(10), clock.SAO_PAULO).astimezone(UTC)
