"""Let an approved message go when every check allows it now; otherwise wait, hold, ask again or cancel."""

from somos.events.sdr import MessageApproved, MessageClaimed, MessageSent
from somos.mesh import Context, topic
from somos.modules.sdr.actions.messages import claim
from somos.modules.sdr.tables import OutreachMessage


@topic(MessageApproved, queue="messages")
def on_message_approved(event: MessageApproved, ctx: Context) -> None:
    with ctx.write() as db:
        claimed = claim(db, event.message_id, ctx.now)
        if claimed.result == "claimed":
            ctx.emit(MessageClaimed(message_id=event.message_id, attempt=claimed.attempt))
        elif claimed.result == "sandboxed":
            message = db.get_one(OutreachMessage, event.message_id)
            ctx.emit(MessageSent(message_id=message.id, lead_id=message.lead_id, channel=message.channel))
        elif claimed.result == "waiting":
            ctx.emit(MessageApproved(message_id=event.message_id), after=claimed.again)
        elif claimed.result == "asked":
            ctx.notify("outreach.asked-again", {"message_id": event.message_id}, role="Diretor")
