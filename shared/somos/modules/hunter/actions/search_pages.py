"""The pages of a search: planned, wanted, read or given up."""

from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.mesh.ids import uuid7
from somos.modules.hunter.actions.credit_days import settle
from somos.modules.hunter.rules.limits import MAX_QUERIES
from somos.modules.hunter.tables.search_pages import SearchPage
from somos.modules.hunter.tables.search_sessions import SearchSession
from somos.ports.search import SearchPage as Answer


def plan(
    db: Session, session: SearchSession, source: str, query: str, number: int, place: int, near: str | None
) -> None:
    row = {
        "id": uuid7(),
        "icp_id": session.icp_id,
        "icp_number": session.icp_number,
        "session_id": session.id,
        "source": source,
        "query": query,
        "page": number,
        "place": place,
        "near": near,
    }
    once = ["icp_id", "icp_number", "source", "query", "page"]
    db.execute(insert(SearchPage).values(**row).on_conflict_do_nothing(index_elements=once))


def page_read(db: Session, session: SearchSession, page: SearchPage, answer: Answer) -> None:
    """Keep what a page answered, whatever became of the search meanwhile: it is paid for."""
    page.state, page.credits, page.results = "read", answer.credits, len(answer.results)
    page.rest = [result.model_dump(mode="json") for result in answer.results]
    session.credits += answer.credits
    session.reserved += answer.credits - 1
    settle(db, page, answer.credits - 1)
    if answer.next_page is not None:
        plan(db, session, page.source, page.query, answer.next_page, page.place + MAX_QUERIES, answer.near)


def find_page(db: Session, session_id: UUID, source: str, query: str, number: int) -> SearchPage | None:
    """The page that this session wants, or None when it does not any more."""
    statement = select(SearchPage).where(
        SearchPage.session_id == session_id,
        SearchPage.source == source,
        SearchPage.query == query,
        SearchPage.page == number,
        SearchPage.state == "wanted",
    )
    return db.scalars(statement).first()


def pages_of(session: SearchSession) -> Select[SearchPage]:
    """The pages of this version of the profile, whichever search wanted them."""
    return select(SearchPage).where(SearchPage.icp_id == session.icp_id, SearchPage.icp_number == session.icp_number)


def open_pages(db: Session, session: SearchSession) -> int:
    counted = select(func.count()).where(SearchPage.session_id == session.id, SearchPage.state == "wanted")
    return db.scalar(counted) or 0
