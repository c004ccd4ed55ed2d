"""A search moves on: pages are wanted in rounds, leads are taken from what was read, and it ends once.

A round waits for all its pages before leads are taken from them, in a fixed order: however the answers arrive,
the same searches give the same leads.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from somos.events.hunter import LeadEnriched, LeadFound, SourceWanted
from somos.mesh import Context
from somos.mesh.clock import day_of
from somos.mesh.ids import uuid7
from somos.mesh.journal import Refusal
from somos.modules.hunter.actions import lead_sources
from somos.modules.hunter.actions.credit_days import reserve, settle
from somos.modules.hunter.actions.lead_intake import Seen, take_in
from somos.modules.hunter.actions.search_pages import open_pages, pages_of, plan
from somos.modules.hunter.queries.icp_profiles import criteria
from somos.modules.hunter.rules.icp_profiles import Source, search_queries
from somos.modules.hunter.rules.leads import UNSETTLED
from somos.modules.hunter.rules.limits import (
    MAX_NUDGES,
    OPEN_PAGES,
    STALLED_AFTER_MINUTES,
)
from somos.modules.hunter.rules.search_sessions import SESSION
from somos.modules.hunter.tables.icp_profiles import IcpProfile
from somos.modules.hunter.tables.leads import Lead
from somos.modules.hunter.tables.search_pages import SearchPage
from somos.modules.hunter.tables.search_sessions import COUNTERS, SearchSession
from somos.ports.errors import NotConfigured, QuotaExhausted, Refused, Transient
from somos.ports.search import SearchResult


@dataclass
class Step:
    """What a search wants next."""

    new_leads: list[UUID] = field(default_factory=list)
    enriched: list[UUID] = field(default_factory=list)
    pages: list[SearchPage] = field(default_factory=list)
    finished: bool = False


def lock(db: Session, session_id: UUID) -> SearchSession:
    """The session, locked, as it is now. Rows that point at it may still be written."""
    statement = (
        select(SearchSession)
        .where(SearchSession.id == session_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return db.scalars(statement).one()


def begin(ctx: Context, profile: IcpProfile, **columns: Any) -> SearchSession:
    """A session of this kind, and the task that its person follows; `columns` are its others."""
    session_id = uuid7()
    return ctx.create(
        SearchSession,
        id=session_id,
        icp_id=profile.id,
        icp_number=profile.number,
        task_id=ctx.start_task(f"hunter.{columns['kind']}", session_id),
        requested_by=ctx.principal.id,
        moved_at=ctx.now,
        **columns,
    )


def begin_import(ctx: Context, profile: IcpProfile, lines: int) -> SearchSession:
    """The session that counts what becomes of a file."""
    session = begin(ctx, profile, kind="import", sources=["csv"], target=max(lines, 1), credits_cap=0)
    session.state = SESSION.move(session.state, "running")
    return session


def start(db: Session, session: SearchSession) -> None:
    """Plan every first page that this version of the profile has not read; take over what was left undone."""
    session.state = SESSION.move(session.state, "running")
    icp = criteria(db, session.icp_id, session.icp_number)
    sources = tuple(session.sources)
    for place, query in enumerate(search_queries(icp, sources)):
        plan(db, session, query.source, query.text, 1, place, None)
    again = pages_of(session).where(SearchPage.state == "failed")
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
    if open_pages(db, session):
        return step
    _take(db, session, step, secret, now)
    capped = _want(db, session, step, now)
    if not step.pages and session.settled == session.found:
        if capped:
            session.state, session.reason = SESSION.move(session.state, "paused"), capped
        else:
            session.state, session.finished_at = SESSION.move(session.state, "completed"), now
            step.finished = True
    return step


def count(session: SearchSession, outcome: str) -> None:
    """One more lead of this search came to its end."""
    session.settled += 1
    counter = {"duplicate": "duplicates"}.get(outcome, outcome)
    setattr(session, counter, getattr(session, counter) + 1)


def _release_held(db: Session, session: SearchSession, step: Step) -> None:
    statement = select(Lead).where(Lead.session_id == session.id, Lead.held, Lead.state.in_(UNSETTLED))
    for lead in db.scalars(statement.order_by(Lead.id).with_for_update(key_share=True)):
        lead.held = False
        (step.new_leads if lead.state == "discovered" else step.enriched).append(lead.id)


def _take(db: Session, session: SearchSession, step: Step, secret: str, now: datetime) -> None:
    """Leads out of everything read and not taken yet, up to the target."""
    pages = list(
        db.scalars(
            pages_of(session)
            .where(SearchPage.state == "read", func.jsonb_array_length(SearchPage.rest) > 0)
            .order_by(SearchPage.place, SearchPage.id)
        )
    )
    results = [(page, SearchResult.model_validate(item)) for page in pages for item in page.rest]
    if not results:
        return
    batch = [_seen(result, now) for _, result in results]
    intake = take_in(db, batch, session, most=max(0, session.target - session.found), secret=secret, now=now)
    session.found += len(intake.new)
    session.repeated += len(intake.known)
    session.ignored += len(intake.ignored)
    done = intake.taken | intake.ignored
    for page in pages:
        page.rest = [
            result.model_dump(mode="json")
            for position, (origin, result) in enumerate(results)
            if origin is page and position not in done
        ]
    step.new_leads += intake.new


def _seen(result: SearchResult, now: datetime) -> Seen:
    return Seen(result.source, result.external_id[:500], result.url, tuple(lead_sources.of_search(result, now)))


def _want(db: Session, session: SearchSession, step: Step, now: datetime) -> str | None:
    """Ask for the next round of pages, as many as target and caps allow; the cap that stopped it."""
    if session.kind != "search" or session.found >= session.target:
        return None
    planned = db.scalars(
        pages_of(session)
        .where(SearchPage.state == "planned", SearchPage.source.in_(session.sources))
        .order_by(SearchPage.place, SearchPage.id)
        .limit(OPEN_PAGES)
    ).all()
    today = day_of(now)
    for page in planned:
        if session.reserved >= session.credits_cap:
            return "session-cap" if not step.pages else None
        if not reserve(db, today):
            return "day-cap" if not step.pages else None
        session.reserved += 1
        page.state, page.session_id, page.wanted_at, page.reserved_on = "wanted", session.id, now, today
        step.pages.append(page)
    return None


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
    settle(db, page, -1)
    if session.state == "running" and isinstance(trouble, QuotaExhausted):
        pause(session, "source-quota")
    elif session.state == "running" and isinstance(trouble, NotConfigured):
        end(session, "failed", f"A fonte de busca não está configurada: {trouble.message}", now)


def pause(session: SearchSession, reason: str) -> None:
    """No new outside call starts until somebody resumes it."""
    session.state, session.reason = SESSION.move(session.state, "paused"), reason


def resume(session: SearchSession) -> None:
    session.state, session.reason = SESSION.move(session.state, "running"), None


def end(session: SearchSession, state: str, reason: str, now: datetime) -> None:
    """Cancelled or failed: what was found stays, nothing new starts."""
    session.state, session.reason, session.finished_at = SESSION.move(session.state, state), reason, now


def announce(ctx: Context, session: SearchSession, step: Step) -> None:
    """State what the search wants next, tell its progress, and close its task when it ended."""
    for lead_id in step.new_leads:
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


def revive(db: Session, *, secret: str, now: datetime) -> Iterator[tuple[SearchSession, Step]]:
    """Every search that needed help, with what it wants next."""
    still = now - timedelta(minutes=STALLED_AFTER_MINUTES)
    statement = select(SearchSession).where(
        SearchSession.state.in_(["queued", "running", "paused"]), SearchSession.moved_at < still
    )
    for session in db.scalars(statement.order_by(SearchSession.id).with_for_update(key_share=True, skip_locked=True)):
        if session.state == "paused":
            if session.reason != "day-cap" or day_of(session.moved_at) == day_of(now):
                continue
            resume(session)
        elif session.nudges >= MAX_NUDGES:
            waiting = session.found - session.settled
            end(session, "failed", f"{waiting} leads ficaram sem resposta das fontes.", now)
            yield session, Step()
            continue
        else:
            session.nudges += 1
            _nudge(db, session, still)
        db.flush()
        yield session, advance(db, session, secret=secret, now=now)


def _nudge(db: Session, session: SearchSession, still: datetime) -> None:
    """Pages nobody answered are given up, and still counted as paid; leads are stated again."""
    if session.state == "queued":
        start(db, session)
        return
    db.execute(
        update(SearchPage)
        .where(SearchPage.session_id == session.id, SearchPage.state == "wanted", SearchPage.wanted_at < still)
        .values(state="failed")
        .execution_options(synchronize_session=False)
    )
    db.execute(
        update(Lead)
        .where(Lead.session_id == session.id, Lead.state.in_(UNSETTLED))
        .values(held=True)
        .execution_options(synchronize_session=False)
    )
