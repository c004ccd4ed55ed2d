"""Send a claimed message, once, and write down what became of it."""

from somos.events.sdr import MessageClaimed
from somos.mesh import Context, topic
from somos.mesh.queues import MESSAGES
from somos.modules.sdr.actions.enrolments import announce_stop
from somos.modules.sdr.actions.messages import locked, settle_outcome
from somos.modules.sdr.actions.transmissions import transmit
from somos.modules.sdr.queries.messages import letter_of
from somos.ports.email import Email
from somos.ports.whatsapp import Whatsapp


@topic(MessageClaimed, calls=[Whatsapp, Email], queue=MESSAGES, timeout=180)
def on_message_claimed(event: MessageClaimed, ctx: Context) -> None:
    letter = ctx.read(letter_of, event.message_id, event.attempt)
    if letter is None:
        return  # settled by a webhook or a person meanwhile
    outcome = transmit(ctx, letter)
    with ctx.write():
        message = locked(ctx, event.message_id)
        if message is None or message.state != "sending" or message.tries != event.attempt:
            # Said otherwise meanwhile: what this call left behind waits for nobody, unless the message itself does.
            if message is None or message.state != "unknown":
                ctx.settle(event.message_id)
            return
        settle_outcome(ctx, message, outcome)
        announce_stop(ctx, message.enrolment_id)
