"""Writing down what became of a call: sent, unknown, ended, or back in the queue."""

from sqlalchemy.orm import Session

from somos.events.sdr import MessageApproved, MessageSent
from somos.mesh import Context
from somos.modules.sdr.health import HELD_BY_HEALTH, note, tell, try_again_at
from somos.modules.sdr.receipts import fail, mark_sent
from somos.modules.sdr.rules.guards import decisive
from somos.modules.sdr.rules.machines import MESSAGE, move
from somos.modules.sdr.sending import put_off, queue
from somos.modules.sdr.tables import OutreachMessage, Sender
from somos.modules.sdr.transmitting import Outcome

WHY_UNKNOWN = "O provedor não confirmou o envio; confira na conversa e diga se saiu."


def settle(ctx: Context, db: Session, message: OutreachMessage, outcome: Outcome) -> None:
    """Bring a message in `sending` to where its call left it. The person and the message are locked."""
    if message.erased_at is None:
        message.jid = outcome.jid or message.jid
    if outcome.result == "sent":
        mark_sent(db, message, outcome.provider_id, ctx.now)
        ctx.emit(MessageSent(message_id=message.id, lead_id=message.lead_id, channel=message.channel))
    elif outcome.result == "unknown":
        message.state = move(MESSAGE, message.state, "unknown")
        message.waiting_for = WHY_UNKNOWN
        ctx.notify("outreach.unknown", {"message_id": message.id}, role="Diretor")
    elif outcome.result == "refused":
        fail(db, message, outcome.reason, ctx.now, dead_address=outcome.dead_address)
    elif outcome.result == "withheld":
        sender = db.get_one(Sender, message.sender_id)
        claim = put_off(db, message, sender, decisive(list(outcome.refusals)), ctx.now)
        if claim.again is not None:
            ctx.emit(MessageApproved(message_id=message.id), after=claim.again)
    else:
        _try_later(ctx, db, message, outcome)


def _try_later(ctx: Context, db: Session, message: OutreachMessage, outcome: Outcome) -> None:
    """It surely did not leave: back in the queue, for the hour the provider said or until a person repairs."""
    assert outcome.error is not None
    sender = db.get_one(Sender, message.sender_id, with_for_update=True)
    if note(sender, outcome.error, ctx.now):
        tell(ctx, sender)
    message.left_at = None
    if sender.health in HELD_BY_HEALTH:
        queue(message, None, outcome.error.message)
        return
    again = sender.health_until if sender.health == "quota_today" else None
    again = again or try_again_at(outcome.error, message.tries, ctx.now)
    queue(message, again, outcome.error.message)
    ctx.emit(MessageApproved(message_id=message.id), after=again)
