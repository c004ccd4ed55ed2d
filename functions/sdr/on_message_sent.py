"""A message left: the cadence waits for its next step, or is over."""

from somos.events.sdr import MessageSent, StepDue
from somos.mesh import Context, topic
from somos.modules.sdr import people
from somos.modules.sdr.enrolments import after_sent, announce_stop
from somos.modules.sdr.tables import Enrolment, OutreachMessage


@topic(MessageSent, emits=[StepDue])
def on_message_sent(event: MessageSent, ctx: Context) -> None:
    with ctx.write() as db:
        people.lock_for(db, event.message_id)
        message = db.get(OutreachMessage, event.message_id)
        if message is None or message.enrolment_id is None or message.step_no is None:
            return
        enrolment = db.get_one(Enrolment, message.enrolment_id, with_for_update=True)
        if waiting := after_sent(db, enrolment, message.step_no, ctx.now):
            ctx.emit(StepDue(enrolment_id=waiting.id, step_no=waiting.step_no), after=waiting.due_at)
        elif enrolment.state == "stopped_bounce":
            announce_stop(ctx, db, enrolment.id)  # the bounce was known before the message was
