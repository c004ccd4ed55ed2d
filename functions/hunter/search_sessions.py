"""Searches under way and past: their counters, and the ways to hold, continue and stop one."""

from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.hunter.actions import search_sessions
from somos.modules.hunter.queries.search_sessions import credits_on
from somos.modules.hunter.rules.limits import CREDITS_PER_DAY
from somos.modules.hunter.schemas.search_sessions import SessionDetail, SessionFilter, SessionResume, SessionView
from somos.modules.hunter.tables.search_sessions import SearchSession


@http.get("/api/v1/search-sessions", allow="hunter:read")
def search_sessions_list(filter: SessionFilter, ctx: Context) -> Page[SessionView]:
    return ctx.page(ctx.visible(SearchSession).where(*filter.clauses()), SessionView)


@http.get("/api/v1/search-sessions/{id}", allow="hunter:read")
def search_sessions_get(id: UUID, ctx: Context) -> SessionDetail:
    return _detail(ctx, ctx.get(SearchSession, id))


@http.post("/api/v1/search-sessions/{id}/pause", allow="hunter:write", status=200)
def search_sessions_pause(id: UUID, ctx: Context) -> SessionDetail:
    """Hold the search: no new outside call starts until it is resumed."""
    session = ctx.get(SearchSession, id, lock=True)
    search_sessions.pause(session, "person")
    ctx.progress(session.task_id, state=session.state)
    return _detail(ctx, session)


@http.post("/api/v1/search-sessions/{id}/resume", allow="hunter:write", status=200)
def search_sessions_resume(id: UUID, choice: SessionResume, ctx: Context) -> SessionDetail:
    """Continue a held search, perhaps with a higher cap."""
    session = ctx.get(SearchSession, id, lock=True)
    search_sessions.resume(session)
    session.credits_cap = max(session.credits_cap, choice.credits_cap or 0)
    step = search_sessions.advance(ctx.db, session, secret=ctx.settings.suppression_key, now=ctx.now)
    search_sessions.announce(ctx, session, step)
    return _detail(ctx, session)


@http.post("/api/v1/search-sessions/{id}/cancel", allow="hunter:write", status=200)
def search_sessions_cancel(id: UUID, ctx: Context) -> SessionDetail:
    """Stop the search for good. What was found stays; a later search of the profile continues from here."""
    session = ctx.get(SearchSession, id, lock=True)
    search_sessions.end(session, "cancelled", f"por {ctx.principal.name}", ctx.now)
    ctx.cancel_task(session.task_id)
    return _detail(ctx, session)


def _detail(ctx: Context, session: SearchSession) -> SessionDetail:
    ctx.db.flush()
    shown = ctx.show(session, SessionView).model_dump()
    return SessionDetail(**shown, credits_today=credits_on(ctx.db, ctx.today), credits_per_day=CREDITS_PER_DAY)
