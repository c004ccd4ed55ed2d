"""Somebody wrote to a lead: it is in cadence now, and no longer erased for lack of contact."""

from somos.events.sdr import MessageSent
from somos.mesh import Context, topic
from somos.modules.hunter.actions import leads


@topic(MessageSent)
def on_message_sent(event: MessageSent, ctx: Context) -> None:
    with ctx.write() as db:
        leads.message_sent(db, event.lead_id, ctx.now)
