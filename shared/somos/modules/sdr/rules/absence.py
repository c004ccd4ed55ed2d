"""Until which day a notice of absence says that somebody is away."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from somos.modules.sdr.rules.own_words import plain

# A date further away is not when somebody comes back.
LONGEST = timedelta(days=366)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janeiro jan january",
            "fevereiro fev february feb",
            "marco mar march",
            "abril abr april apr",
            "maio mai may",
            "junho jun june",
            "julho jul july",
            "agosto ago august aug",
            "setembro set september sep sept",
            "outubro out october oct",
            "novembro nov november",
            "dezembro dez december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "segunda monday",
            "terca tuesday",
            "quarta wednesday",
            "quinta thursday",
            "sexta friday",
            "sabado saturday",
            "domingo sunday",
        )
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?:,? ?(?:de |of )?(?P<year>\d{4}))?"
_SHAPES = (
    re.compile(r"\b(?P<iso>(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2}))\b"),
    re.compile(r"\b(?P<day>\d{1,2}) ?[/.-] ?(?P<month>\d{1,2})(?: ?[/.-] ?(?P<year>\d{4}|\d{2}))?\b(?![:/h]|\d)"),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:º|o|st|nd|rd|th)? ?(?:de |of |/|-)?(?P<name>{_MONTH})\b\.?{_YEAR}"),
    re.compile(rf"\b(?P<name>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:){_YEAR}"),
    re.compile(r"\b(?:no |o )?dia (?P<day>\d{1,2})(?:º|o)?\b(?! ?[/.-] ?\d| (?:de |of )?[a-z]{3,9}\b(?<!de))"),
    re.compile(r"\b(?P<day>\d{1,2})(?:st|nd|rd|th)\b(?! (?:of )?[a-z]{3})"),
    re.compile(rf"\b(?:proxima |next |na |on |ate |until )(?P<weekday>{'|'.join(_WEEKDAYS)})\b"),
    re.compile(r"\b(?P<tomorrow>amanha|tomorrow)\b"),
)
# What stands before the day of coming back, or between the two ends of an absence.
_CUE = re.compile(
    r"\b(ate|retorn\w+|volt\w+|de volta|regress\w+|disponivel|until|till|through|back|return(ing)?|reachable|available"
    r"|a partir d[eo]|from|a|as|ao|e|to|and|retomarei|atividades)\b|-"
)
_BEFORE = 45


def away_until(words: str, today: date) -> date | None:
    """The day named as the end of an absence, the next such day from `today`; None when none is named."""
    flat = re.sub(r"\s+", " ", plain(words))
    named = [(at, day) for at, day in _dates(flat, today) if today <= day <= today + LONGEST]
    if not named:
        return None
    cued = [day for at, day in named if _CUE.search(flat[max(at - _BEFORE, 0) : at])]
    return max(cued) if cued else max(day for _, day in named)


def _dates(flat: str, today: date) -> Iterator[tuple[int, date]]:
    month_first = any(
        int(match["month"]) > 12 >= int(match["day"]) for match in _SHAPES[1].finditer(flat) if match["month"]
    )
    for shape in _SHAPES:
        for match in shape.finditer(flat):
            day = _day_of(match.groupdict(), today, month_first)
            if day is not None:
                yield match.start(), day


def _day_of(named: dict[str, str | None], today: date, month_first: bool) -> date | None:
    if named.get("tomorrow"):
        return today + timedelta(days=1)
    if weekday := named.get("weekday"):
        return today + timedelta(days=(_WEEKDAYS[weekday] - today.weekday() - 1) % 7 + 1)
    day = int(named["day"] or 0)
    year = _year_of(named.get("year"))
    name, number = named.get("name"), named.get("month")
    if name is None and number is None:
        return _next_day_of_month(day, today)
    month = _MONTHS[name] if name else int(number or 0)
    if month_first and not name and named.get("iso") is None:  # written as in the United States
        day, month = month, day
    if year is not None:
        return _date(year, month, day)
    years = (candidate for ahead in range(5) if (candidate := _date(today.year + ahead, month, day)))
    return next((candidate for candidate in years if candidate >= today), None)


def _next_day_of_month(day: int, today: date) -> date | None:
    """The next month that has such a day."""
    for ahead in range(3):
        month = today.month - 1 + ahead
        candidate = _date(today.year + month // 12, month % 12 + 1, day)
        if candidate is not None and candidate >= today:
            return candidate
    return None


def _year_of(year: str | None) -> int | None:
    if not year:
        return None
    return int(year) + 2000 if len(year) == 2 else int(year)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def day_after(day: date, zone: str) -> datetime:
    """The beginning of the next day there."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))
