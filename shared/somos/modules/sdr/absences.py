"""People who are away: what is for them waits until the day after they are back."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from somos.modules.sdr.people import HEARD, who, written_to
from somos.modules.sdr.rules.absence import away_until
from somos.modules.sdr.rules.inbound import Inbound
from somos.modules.sdr.rules.machines import LIVE_ENROLMENTS
from somos.modules.sdr.rules.windows import DEFAULT_ZONE, local_date
from somos.modules.sdr.tables import Enrolment, OutreachMessage, Response


def last_day(response: Response) -> date | None:
    """The last day that a notice of absence names, in its subject or its words."""
    words = Inbound(response.channel, response.from_address, response.text).parts.own
    return away_until(f"{response.subject or ''}\n{words}", local_date(response.received_at, DEFAULT_ZONE))


def put_off(db: Session, keys: Collection[str], last: date | None) -> None:
    """Nothing of a cadence is due before who is away is back. The caller holds the person's lock."""
    if last is None:
        return
    waiting = select(Enrolment).where(
        written_to(Enrolment, keys), Enrolment.state.in_(LIVE_ENROLMENTS), Enrolment.due_at.is_not(None)
    )
    back = day_after(last, DEFAULT_ZONE)
    for enrolment in db.scalars(waiting.order_by(Enrolment.id).with_for_update()):
        if enrolment.due_at is not None and enrolment.due_at < back:
            enrolment.due_at = back


@cache
def _last_away() -> Select[Any]:
    away = select(func.max(Response.later_date)).where(HEARD, Response.label == "automatic")
    return away.where(Response.later_date >= bindparam("today"))


def back_at(db: Session, row: OutreachMessage | Enrolment, zone: str, now: datetime) -> datetime | None:
    """When the person of this row is back, if their last notice says that they are away now."""
    last = db.scalar(_last_away(), {**who(row), "today": local_date(now, zone)})
    return day_after(last, zone) if last else None


def day_after(day: date, zone: str) -> datetime:
    """The beginning of the next day there."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))
