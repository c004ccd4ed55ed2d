"""A message left: answers that were faster find it; its cadence waits for the next step, or is over."""

from somos.events.sdr import MessageSent, StepDue
from somos.mesh import Context, topic
from somos.modules.sdr.actions.enrolments import after_sent, announce_stop
from somos.modules.sdr.actions.responses import lock_with_answers, match
from somos.modules.sdr.tables import Enrolment, OutreachMessage


@topic(MessageSent)
def on_message_sent(event: MessageSent, ctx: Context) -> None:
    with ctx.write() as db:
        answers = lock_with_answers(db, event.message_id)
        message = db.get(OutreachMessage, event.message_id, populate_existing=True)
        if message is None:
            return
        match(ctx, db, message, answers)
        if message.enrolment_id is None or message.step_no is None:
            return
        enrolment = db.get_one(Enrolment, message.enrolment_id, with_for_update=True)
        if waiting := after_sent(db, enrolment, message.step_no, ctx.now):
            ctx.emit(StepDue(enrolment_id=waiting.id, step_no=waiting.step_no), after=waiting.due_at)
        elif enrolment.state == "stopped_bounce":
            announce_stop(ctx, db, enrolment.id)  # the bounce was known before the message was
