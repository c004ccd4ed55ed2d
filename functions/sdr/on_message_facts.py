"""Messages between their heavy steps: a campaign's leads, an approved message, one that left, the next step."""

from datetime import datetime

from somos.events.sdr import CampaignStarted, DraftWanted, MessageApproved, MessageClaimed, MessageSent, StepDue
from somos.mesh import Context, topic
from somos.mesh.queues import DEFAULT
from somos.modules.sdr.actions.campaigns import enrol_leads
from somos.modules.sdr.actions.drafts import draft_step
from somos.modules.sdr.actions.enrolments import after_sent, announce_stop, next_step
from somos.modules.sdr.actions.messages import claim
from somos.modules.sdr.actions.responses import lock_with_answers, match_waiting
from somos.modules.sdr.queries.people import lock_people
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.messages import OutreachMessage


@topic(CampaignStarted, queue=DEFAULT, timeout=60)
def on_campaign_started(event: CampaignStarted, ctx: Context) -> None:
    """Want one draft for each lead that may be written to; so many at a time, then the rest is stated anew."""
    with ctx.write():
        if enrol_leads(ctx, event.campaign_id):
            ctx.emit(CampaignStarted(campaign_id=event.campaign_id, task_id=event.task_id))


@topic(MessageApproved)
def on_message_approved(event: MessageApproved, ctx: Context) -> None:
    """Let it go when every check allows it now; otherwise wait, hold, ask again or cancel."""
    with ctx.write():
        claimed = claim(ctx, event.message_id)
        if claimed.result == "claimed":
            ctx.emit(MessageClaimed(message_id=event.message_id, attempt=claimed.attempt))
        elif claimed.result == "waiting":
            ctx.emit(MessageApproved(message_id=event.message_id), after=claimed.again)
        elif claimed.result == "asked":
            ctx.notify("outreach.asked-again", {"message_id": event.message_id}, role="Diretor")


@topic(MessageSent)
def on_message_sent(event: MessageSent, ctx: Context) -> None:
    """Answers that were faster find it; its cadence waits for the next step, or is over."""
    with ctx.write() as db:
        answers = lock_with_answers(ctx, event.message_id)
        message = db.get(OutreachMessage, event.message_id, populate_existing=True)
        if message is None:
            return
        match_waiting(ctx, message, answers)
        if message.enrolment_id is None or message.step_no is None:
            return
        enrolment = db.get_one(Enrolment, message.enrolment_id, with_for_update=True)
        if waiting := after_sent(ctx, enrolment, message.step_no):
            ctx.emit(StepDue(enrolment_id=waiting.id, step_no=waiting.step_no), after=waiting.due_at)
        elif enrolment.state == "stopped_bounce":
            announce_stop(ctx, enrolment.id)  # the bounce was known before the message was


@topic(StepDue)
def on_step_due(event: StepDue, ctx: Context) -> None:
    """The wait of a cadence's step is over: draft its message, if the cadence still goes on."""
    with ctx.write() as db:
        lock_people(db, Enrolment, [event.enrolment_id])
        enrolment = db.get(Enrolment, event.enrolment_id, with_for_update=True, populate_existing=True)
        if enrolment is None:
            return
        step = next_step(ctx, enrolment, event.step_no)
        if isinstance(step, datetime):
            ctx.emit(StepDue(enrolment_id=enrolment.id, step_no=event.step_no), after=step)
        elif step is not None and (message := draft_step(ctx, enrolment, step)):
            ctx.emit(DraftWanted(message_id=message.id))
