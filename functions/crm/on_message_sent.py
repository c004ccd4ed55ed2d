"""A message left: the timeline of the lead's deal says so."""

from somos.events.sdr import MessageSent
from somos.mesh import Context, topic
from somos.modules.crm.actions.deal_activities import record_message
from somos.modules.crm.rules.timeline import message_title


@topic(MessageSent)
def on_message_sent(event: MessageSent, ctx: Context) -> None:
    """Before there is a deal, the conversation itself keeps the message."""
    subject = message_title("message_sent", event.channel)
    with ctx.write() as db:
        record_message(db, event.lead_id, "message_sent", subject, event.message_id, ctx.now, event.channel)
