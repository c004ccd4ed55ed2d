"""Count what became of a lead; the last one of a search ends it, once."""

from somos.events.hunter import LeadSettled
from somos.mesh import Context, topic
from somos.modules.hunter.actions import search_sessions


@topic(LeadSettled)
def on_lead_settled(event: LeadSettled, ctx: Context) -> None:
    with ctx.write() as db:
        if event.session_id is None:
            return
        session = search_sessions.lock(db, event.session_id)
        search_sessions.count(session, event.outcome)
        step = search_sessions.advance(db, session, secret=ctx.settings.suppression_key, now=ctx.now)
        search_sessions.announce(ctx, session, step)
