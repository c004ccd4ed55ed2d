"""The day's allowance of paid look-ups, shared by all searches."""

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.mesh.ids import uuid7
from somos.modules.hunter.rules.limits import CREDITS_PER_DAY
from somos.modules.hunter.tables.credit_days import CreditDay
from somos.modules.hunter.tables.search_pages import SearchPage


def reserve(db: Session, day: object) -> bool:
    """One look-up of the day's allowance, or False; the row lock keeps parallel searches inside it."""
    db.execute(insert(CreditDay).values(id=uuid7(), day=day).on_conflict_do_nothing(index_elements=["day"]))
    taken = db.execute(
        update(CreditDay)
        .where(CreditDay.day == day, CreditDay.credits < CREDITS_PER_DAY)
        .values(credits=CreditDay.credits + 1)
        .returning(CreditDay.id)
    )
    return taken.first() is not None


def settle(db: Session, page: SearchPage, difference: int) -> None:
    if difference and page.reserved_on is not None:
        db.execute(
            update(CreditDay)
            .where(CreditDay.day == page.reserved_on)
            .values(credits=func.greatest(CreditDay.credits + difference, 0))
        )
