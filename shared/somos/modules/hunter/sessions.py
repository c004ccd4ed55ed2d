"""A search moves on: pages are wanted in rounds, leads are taken from what was read, and it ends once.

A round waits for all its pages before leads are taken from them, in a fixed order: however the answers arrive,
the same searches give the same leads.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.events.hunter import LeadEnriched, LeadFound, SourceWanted
from somos.mesh import Context
from somos.mesh.clock import day_of
from somos.mesh.ids import uuid7
from somos.mesh.journal import Refusal
from somos.modules.hunter import readings
from somos.modules.hunter.intake import Seen, take_in
from somos.modules.hunter.queries.profiles import criteria
from somos.modules.hunter.rules.icp import Source, search_queries
from somos.modules.hunter.rules.limits import CREDITS_PER_DAY, MAX_QUERIES, OPEN_PAGES
from somos.modules.hunter.rules.states import UNSETTLED, move_session
from somos.modules.hunter.tables import CreditDay, Lead, SearchPage, SearchSession
from somos.modules.hunter.tables.searches import COUNTERS
from somos.ports.errors import NotConfigured, QuotaExhausted, Refused, Transient
from somos.ports.search import Found
from somos.ports.search import SearchPage as Answer

# What `announce` may state; every function that moves a search on declares these.
ANNOUNCED = (LeadFound, LeadEnriched, SourceWanted)


@dataclass
class Step:
    """What a search wants next."""

    found: list[UUID] = field(default_factory=list)
    enriched: list[UUID] = field(default_factory=list)
    pages: list[SearchPage] = field(default_factory=list)
    finished: bool = False


def lock(db: Session, session_id: UUID) -> SearchSession:
    """The session, locked, as it is now. Rows that point at it may still be written."""
    found = (
        select(SearchSession)
        .where(SearchSession.id == session_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return db.scalars(found).one()


def start(db: Session, session: SearchSession) -> None:
    """Plan every first page that this version of the profile has not read; take over what was left undone."""
    session.state = move_session(session.state, "running")
    icp = criteria(db, session.icp_id, session.icp_number)
    sources = tuple(session.sources)
    for place, query in enumerate(search_queries(icp, sources)):
        _plan(db, session, query.source, query.text, 1, place, None)
    again = _pages(session).where(SearchPage.state == "failed")
    for page in db.scalars(again):
        page.state, page.session_id = "planned", session.id
    _adopt(db, session)


def _adopt(db: Session, session: SearchSession) -> None:
    """Leads that an ended search of this profile left half done are finished by this one."""
    ended = select(SearchSession.id).where(SearchSession.state.in_(["cancelled", "failed"]))
    adopted = db.execute(
        update(Lead)
        .where(
            Lead.icp_id == session.icp_id,
            Lead.icp_number == session.icp_number,
            Lead.state.in_(UNSETTLED),
            Lead.session_id.in_(ended),
        )
        .values(session_id=session.id, held=True)
        .returning(Lead.id)
        .execution_options(synchronize_session=False)
    )
    session.found += len(adopted.all())


def advance(db: Session, session: SearchSession, *, secret: str, now: datetime) -> Step:
    """Take leads from what was read, want more pages while they are needed, or end. The session is locked."""
    step = Step()
    session.moved_at = now
    if session.state != "running":
        return step
    _release_held(db, session, step)
    if _open_pages(db, session):
        return step
    _take(db, session, step, secret, now)
    capped = _want(db, session, step, now)
    if not step.pages and session.settled == session.found:
        if capped:
            session.state, session.reason = move_session(session.state, "paused"), capped
        else:
            session.state, session.finished_at = move_session(session.state, "completed"), now
            step.finished = True
    return step


def count(session: SearchSession, outcome: str) -> None:
    """One more lead of this search came to its end."""
    session.settled += 1
    counter = {"duplicate": "duplicates"}.get(outcome, outcome)
    setattr(session, counter, getattr(session, counter) + 1)


def _release_held(db: Session, session: SearchSession, step: Step) -> None:
    held = select(Lead).where(Lead.session_id == session.id, Lead.held, Lead.state.in_(UNSETTLED))
    for lead in db.scalars(held.order_by(Lead.id).with_for_update(key_share=True)):
        lead.held = False
        (step.found if lead.state == "discovered" else step.enriched).append(lead.id)


def _take(db: Session, session: SearchSession, step: Step, secret: str, now: datetime) -> None:
    """Leads out of everything read and not taken yet, up to the target."""
    pages = list(
        db.scalars(
            _pages(session)
            .where(SearchPage.state == "read", func.jsonb_array_length(SearchPage.rest) > 0)
            .order_by(SearchPage.place, SearchPage.id)
        )
    )
    results = [(page, Found.model_validate(item)) for page in pages for item in page.rest]
    if not results:
        return
    batch = [_seen(found, now) for _, found in results]
    intake = take_in(db, batch, session, most=max(0, session.target - session.found), secret=secret, now=now)
    session.found += len(intake.new)
    session.repeated += len(intake.known)
    session.ignored += len(intake.ignored)
    done = intake.taken | intake.ignored
    for page in pages:
        page.rest = [
            found.model_dump(mode="json")
            for position, (origin, found) in enumerate(results)
            if origin is page and position not in done
        ]
    step.found += intake.new


def _seen(found: Found, now: datetime) -> Seen:
    return Seen(found.source, found.external_id[:500], found.url, tuple(readings.of_search(found, now)))


def _want(db: Session, session: SearchSession, step: Step, now: datetime) -> str | None:
    """Ask for the next round of pages, as many as target and caps allow; the cap that stopped it."""
    if session.kind != "search" or session.found >= session.target:
        return None
    planned = db.scalars(
        _pages(session)
        .where(SearchPage.state == "planned", SearchPage.source.in_(session.sources))
        .order_by(SearchPage.place, SearchPage.id)
        .limit(OPEN_PAGES)
    ).all()
    today = day_of(now)
    for page in planned:
        if session.reserved >= session.credits_cap:
            return "session-cap" if not step.pages else None
        if not _reserve(db, today):
            return "day-cap" if not step.pages else None
        session.reserved += 1
        page.state, page.session_id, page.wanted_at, page.reserved_on = "wanted", session.id, now, today
        step.pages.append(page)
    return None


def page_read(db: Session, session: SearchSession, page: SearchPage, answer: Answer) -> None:
    """Keep what a page answered, whatever became of the search meanwhile: it is paid for."""
    page.state, page.credits, page.results = "read", answer.credits, len(answer.results)
    page.rest = [found.model_dump(mode="json") for found in answer.results]
    session.credits += answer.credits
    session.reserved += answer.credits - 1
    _settle_day(db, page, answer.credits - 1)
    if answer.next_page is not None:
        _plan(db, session, page.source, page.query, answer.next_page, page.place + MAX_QUERIES, answer.near)


# What a source may answer that trying again does not mend.
TROUBLE = (QuotaExhausted, NotConfigured, Refused, Refusal)


def page_unread(
    db: Session, session: SearchSession, page: SearchPage, trouble: Exception | None, now: datetime
) -> None:
    """The page was not read: the search was held or stopped, or the source is in trouble."""
    # Of a page that refuses, or does not answer to the last, only another search asks again.
    given_up = isinstance(trouble, Refused | Refusal | Transient)
    page.state = "failed" if given_up else "planned"
    session.reserved -= 1
    _settle_day(db, page, -1)
    if session.state == "running" and isinstance(trouble, QuotaExhausted):
        pause(session, "source-quota")
    elif session.state == "running" and isinstance(trouble, NotConfigured):
        end(session, "failed", f"A fonte de busca não está configurada: {trouble.message}", now)


def find_page(db: Session, session_id: UUID, source: str, query: str, number: int) -> SearchPage | None:
    """The page that this session wants, or None when it does not any more."""
    found = select(SearchPage).where(
        SearchPage.session_id == session_id,
        SearchPage.source == source,
        SearchPage.query == query,
        SearchPage.page == number,
        SearchPage.state == "wanted",
    )
    return db.scalars(found).first()


def pause(session: SearchSession, reason: str) -> None:
    """No new outside call starts until somebody resumes it."""
    session.state, session.reason = move_session(session.state, "paused"), reason


def resume(session: SearchSession) -> None:
    session.state, session.reason = move_session(session.state, "running"), None


def end(session: SearchSession, state: str, reason: str, now: datetime) -> None:
    """Cancelled or failed: what was found stays, nothing new starts."""
    session.state, session.reason, session.finished_at = move_session(session.state, state), reason, now


def announce(ctx: Context, session: SearchSession, step: Step) -> None:
    """State what the search wants next, tell its progress, and close its task when it ended."""
    for lead_id in step.found:
        ctx.emit(LeadFound(lead_id=lead_id, session_id=session.id))
    for lead_id in step.enriched:
        ctx.emit(LeadEnriched(lead_id=lead_id, session_id=session.id))
    for page in step.pages:
        source: Source = "web" if page.source == "web" else "maps"
        ctx.emit(SourceWanted(session_id=session.id, source=source, query=page.query, page=page.page))
    ctx.progress(session.task_id, state=session.state, **counters(session))
    if session.state == "failed":
        ctx.fail_task(session.task_id, session.reason or "")
    if step.finished:
        ctx.finish_task(session.task_id, {"session_id": str(session.id), **counters(session)})
        ctx.notify(
            "search.completed",
            {"session_id": str(session.id), "found": session.found, "qualified": session.qualified},
            to=session.requested_by,
        )


def counters(session: SearchSession) -> dict[str, int]:
    """How far it is, in numbers that never go down."""
    return {name: getattr(session, name) for name in COUNTERS}


def _pages(session: SearchSession) -> Select[SearchPage]:
    """The pages of this version of the profile, whichever search wanted them."""
    return select(SearchPage).where(SearchPage.icp_id == session.icp_id, SearchPage.icp_number == session.icp_number)


def _open_pages(db: Session, session: SearchSession) -> int:
    counted = select(func.count()).where(SearchPage.session_id == session.id, SearchPage.state == "wanted")
    return db.scalar(counted) or 0


def _plan(
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


def _reserve(db: Session, day: object) -> bool:
    """One look-up of the day's allowance, or False; the row lock keeps parallel searches inside it."""
    db.execute(insert(CreditDay).values(id=uuid7(), day=day).on_conflict_do_nothing(index_elements=["day"]))
    taken = db.execute(
        update(CreditDay)
        .where(CreditDay.day == day, CreditDay.credits < CREDITS_PER_DAY)
        .values(credits=CreditDay.credits + 1)
        .returning(CreditDay.id)
    )
    return taken.first() is not None


def _settle_day(db: Session, page: SearchPage, difference: int) -> None:
    if difference and page.reserved_on is not None:
        db.execute(
            update(CreditDay)
            .where(CreditDay.day == page.reserved_on)
            .values(credits=func.greatest(CreditDay.credits + difference, 0))
        )


def credits_on(db: Session, day: object) -> int:
    """Look-ups reserved or spent on a day."""
    return db.scalar(select(CreditDay.credits).where(CreditDay.day == day)) or 0
