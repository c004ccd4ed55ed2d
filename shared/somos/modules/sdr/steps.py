"""One step of a cadence: whether it runs now, and its message."""

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from somos.mesh import Context
from somos.modules.hunter import queries as hunter
from somos.modules.sdr import people
from somos.modules.sdr.drafting import address_of, new_message, sender_for
from somos.modules.sdr.enrolments import step_after_stop, step_now
from somos.modules.sdr.rules.machines import ENROLMENT, move
from somos.modules.sdr.tables import CadenceStep, Enrolment, OutreachCampaign, OutreachMessage, Response

# While nobody knows what an answer means.
LOOK_AGAIN = timedelta(minutes=30)
KINDS = {"replied": "reply", "bounced": "second_channel"}


def next_step(db: Session, enrolment: Enrolment, step_no: int, now: datetime) -> CadenceStep | datetime | None:
    """The step to draft now; when to look again, while it is put off; None when there is none."""
    if enrolment.state in ("stopped_reply", "stopped_bounce"):
        return step_after_stop(db, enrolment)
    if enrolment.state != "waiting" or enrolment.step_no != step_no:
        return None
    if enrolment.due_at is not None and now < enrolment.due_at:
        return enrolment.due_at  # put off since: the person is away
    campaign = db.get_one(OutreachCampaign, enrolment.campaign_id)
    if campaign.state == "paused":
        enrolment.state = move(ENROLMENT, enrolment.state, "paused")
        return None
    if _unsettled_answer(db, enrolment):
        return now + LOOK_AGAIN
    step = step_now(db, enrolment)
    enrolment.state = move(ENROLMENT, enrolment.state, "active")
    enrolment.due_at = None
    if step is None:
        enrolment.state = move(ENROLMENT, enrolment.state, "finished")
        return None
    enrolment.step_no = step.step_no
    return step


def draft_step(ctx: Context, db: Session, enrolment: Enrolment, step: CadenceStep) -> OutreachMessage | None:
    """The step's empty message; None when it has one already, or cannot reach the person on its channel."""
    twin = select(OutreachMessage.id).where(
        OutreachMessage.enrolment_id == enrolment.id, OutreachMessage.step_no == step.step_no
    )
    card = hunter.lead_card(db, enrolment.lead_id)
    campaign = db.get_one(OutreachCampaign, enrolment.campaign_id)
    own = campaign.sender_id if campaign.channel == step.channel else None
    sender = sender_for(db, step.channel, step.sender_id or own)
    if db.scalars(twin).first() or card is None or sender is None or address_of(card, step.channel) is None:
        if enrolment.state == "active":
            enrolment.state = move(ENROLMENT, enrolment.state, "stopped_manual")
            enrolment.stopped_reason = f"O passo {step.step_no} não tem como alcançar a pessoa."
        return None
    message = new_message(
        card,
        sender,
        ctx.settings.suppression_key,
        campaign_id=campaign.id,
        enrolment_id=enrolment.id,
        step_no=step.step_no,
        kind=KINDS.get(step.condition, "follow_up"),
        instruction=step.instruction,
    )
    db.add(message)
    db.flush()
    return message


def _unsettled_answer(db: Session, enrolment: Enrolment) -> bool:
    """Somebody answered and nobody knows yet what it means."""
    waiting = select(Response.id).where(
        people.HEARD,
        Response.kind == "message",
        or_(Response.label.is_(None), Response.label == "unclear"),
        Response.state != "handled",
    )
    return db.scalars(waiting.limit(1), people.who(enrolment)).first() is not None
