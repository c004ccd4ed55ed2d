"""When a message may leave: sending windows per time zone, holidays, caps and the ramp of a new sender."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from somos.kernel.business_days import IsHoliday

PERSON_CAP = 2
PERSON_CAP_PERIOD = timedelta(days=7)
DEFAULT_ZONE = "America/Sao_Paulo"
# States whose clock differs from Brasília's.
ZONES_BY_UF = {
    "AC": "America/Rio_Branco",
    "AM": "America/Manaus",
    "RO": "America/Porto_Velho",
    "RR": "America/Boa_Vista",
    "MT": "America/Cuiaba",
    "MS": "America/Campo_Grande",
}
# A window that never opens (no weekday chosen) is looked for this far.
HORIZON_DAYS = 60


@dataclass(frozen=True, slots=True)
class Window:
    """Hours and days on the receiver's own clock; `closes` may be 24:00."""

    opens: str
    closes: str
    weekdays: frozenset[int]  # Monday is 0
    skip_holidays: bool = True

    @property
    def minutes(self) -> tuple[int, int]:
        return minute_of(self.opens), minute_of(self.closes)


@dataclass(frozen=True, slots=True)
class Ramp:
    """A sender's daily cap: `start` on its first day, `step` more each day, never above `cap`."""

    cap: int
    start: int
    step: int
    since: date | None


def minute_of(hour: str) -> int:
    """`08:30` -> 510. Raises ValueError for what is not an hour of a day (24:00 is its end)."""
    hours, _, minutes = hour.partition(":")
    value = int(hours) * 60 + int(minutes)
    if not 0 <= value <= 1440 or int(minutes) > 59:
        raise ValueError(hour)
    return value


def zone_of(uf: str | None, fallback: str = DEFAULT_ZONE) -> str:
    """The time zone of a Brazilian state; the sender's own when the state is not known."""
    if not uf:
        return fallback
    return ZONES_BY_UF.get(uf.upper(), DEFAULT_ZONE)


def next_opening(moment: datetime, window: Window, zone: str, is_holiday: IsHoliday) -> datetime | None:
    """`moment` itself when the window is open, else the next opening; None when it never opens."""
    opens, closes = window.minutes
    if opens >= closes:
        return None
    clock = ZoneInfo(zone)
    local = moment.astimezone(clock)
    for ahead in range(HORIZON_DAYS):
        day = local.date() + timedelta(days=ahead)
        if day.weekday() not in window.weekdays or (window.skip_holidays and is_holiday(day)):
            continue
        start, end = _at(day, opens, clock), _at(day, closes, clock)
        if moment < end:
            return max(moment, start)
    return None


def _at(day: date, minute: int, clock: ZoneInfo) -> datetime:
    midnight = datetime.combine(day + timedelta(days=minute // 1440), time(), tzinfo=clock)
    return (midnight + timedelta(minutes=minute % 1440)).astimezone(UTC)


def local_date(moment: datetime, zone: str) -> date:
    """The calendar day there."""
    return moment.astimezone(ZoneInfo(zone)).date()


def day_bounds(moment: datetime, zone: str) -> tuple[datetime, datetime]:
    """The local day that holds `moment`, in UTC, half open."""
    clock = ZoneInfo(zone)
    day = local_date(moment, zone)
    return _at(day, 0, clock), _at(day + timedelta(days=1), 0, clock)


def cap_on(day: date, ramp: Ramp) -> int:
    """How many messages a sender may send on this day."""
    if ramp.since is None:
        return ramp.cap
    days = max((day - ramp.since).days, 0)
    return min(ramp.cap, ramp.start + ramp.step * days)


def person_free_at(moment: datetime, left: Iterable[datetime]) -> datetime:
    """From when the person may be written to again, given when earlier messages left."""
    recent = sorted(at for at in left if at > moment - PERSON_CAP_PERIOD)
    if len(recent) < PERSON_CAP:
        return moment
    return recent[-PERSON_CAP] + PERSON_CAP_PERIOD
