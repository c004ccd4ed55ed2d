"""Begin a search: plan what to read, take over what was left undone, want the first pages."""

from somos.events.hunter import SearchRequested
from somos.mesh import Context, topic
from somos.modules.hunter.actions import search_sessions


@topic(SearchRequested)
def on_search_requested(event: SearchRequested, ctx: Context) -> None:
    with ctx.write() as db:
        session = search_sessions.lock(db, event.session_id)
        if session.state != "queued":
            return  # cancelled before it began
        search_sessions.start(db, session)
        step = search_sessions.advance(db, session, secret=ctx.settings.suppression_key, now=ctx.now)
        search_sessions.announce(ctx, session, step)
