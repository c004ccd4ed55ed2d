"""What is known of a search before the outside is asked, and what a day's look-ups came to."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.hunter.tables.credit_days import CreditDay
from somos.modules.hunter.tables.search_pages import SearchPage
from somos.modules.hunter.tables.search_sessions import SearchSession


@dataclass(frozen=True, slots=True)
class UnreadPage:
    """One page to ask for."""

    source: str
    query: str
    page: int
    near: str | None


def unread_page(db: Session, session_id: UUID, source: str, query: str, number: int) -> UnreadPage | None:
    """The page, while its search is running and still wants it."""
    statement = (
        select(SearchPage)
        .join(SearchSession, SearchSession.id == SearchPage.session_id)
        .where(
            SearchPage.session_id == session_id,
            SearchPage.source == source,
            SearchPage.query == query,
            SearchPage.page == number,
            SearchPage.state == "wanted",
            SearchSession.state == "running",
        )
    )
    page = db.scalars(statement).first()
    return UnreadPage(page.source, page.query, page.page, page.near) if page else None


def credits_on(db: Session, day: object) -> int:
    """Look-ups reserved or spent on a day."""
    return db.scalar(select(CreditDay.credits).where(CreditDay.day == day)) or 0
