"""What moves a search on: that it was asked for, and what became of each of its leads."""

from somos.events.hunter import LeadSettled, SearchRequested
from somos.mesh import Context, topic
from somos.modules.hunter.actions import search_sessions


@topic(SearchRequested)
def on_search_requested(event: SearchRequested, ctx: Context) -> None:
    """Plan what to read, take over what was left undone, want the first pages."""
    with ctx.write() as db:
        session = search_sessions.lock(db, event.session_id)
        if session.state != "queued":
            return  # cancelled before it began
        search_sessions.start(db, session)
        step = search_sessions.advance(db, session, secret=ctx.settings.suppression_key, now=ctx.now)
        search_sessions.announce(ctx, session, step)


@topic(LeadSettled)
def on_lead_settled(event: LeadSettled, ctx: Context) -> None:
    """Count it; the last one of a search ends the search, once."""
    with ctx.write() as db:
        if event.session_id is None:
            return
        session = search_sessions.lock(db, event.session_id)
        search_sessions.count(session, event.outcome)
        step = search_sessions.advance(db, session, secret=ctx.settings.suppression_key, now=ctx.now)
        search_sessions.announce(ctx, session, step)
