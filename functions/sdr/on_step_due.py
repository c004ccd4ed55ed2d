"""The wait of a cadence's step is over: draft its message, if the cadence still goes on."""

from datetime import datetime

from somos.events.sdr import DraftWanted, StepDue
from somos.mesh import Context, topic
from somos.modules.sdr.actions.drafts import draft_step
from somos.modules.sdr.actions.enrolments import next_step
from somos.modules.sdr.actions.locks import lock_for_enrolment
from somos.modules.sdr.tables import Enrolment


@topic(StepDue)
def on_step_due(event: StepDue, ctx: Context) -> None:
    with ctx.write() as db:
        lock_for_enrolment(db, event.enrolment_id)
        enrolment = db.get(Enrolment, event.enrolment_id, with_for_update=True, populate_existing=True)
        if enrolment is None:
            return
        step = next_step(db, enrolment, event.step_no, ctx.now)
        if isinstance(step, datetime):
            ctx.emit(StepDue(enrolment_id=enrolment.id, step_no=event.step_no), after=step)
        elif step is not None and (message := draft_step(ctx, db, enrolment, step)):
            ctx.emit(DraftWanted(message_id=message.id))
