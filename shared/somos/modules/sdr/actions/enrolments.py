"""People going through a cadence: it waits, goes on, is put off or ends."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from somos.events.sdr import StepDue
from somos.mesh import Context
from somos.modules.sdr.queries.cadences import as_rules, steps_of
from somos.modules.sdr.queries.enrolments import step_after_stop, step_now
from somos.modules.sdr.queries.people import written_to
from somos.modules.sdr.queries.responses import back_at, has_unsettled
from somos.modules.sdr.rules import cadences
from somos.modules.sdr.rules.absence import day_after
from somos.modules.sdr.rules.machines import ENROLMENT, LIVE_ENROLMENTS
from somos.modules.sdr.rules.windows import DEFAULT_ZONE
from somos.modules.sdr.tables.cadences import CadenceStep
from somos.modules.sdr.tables.campaigns import OutreachCampaign
from somos.modules.sdr.tables.enrolments import Enrolment


def after_sent(ctx: Context, enrolment: Enrolment, step_no: int) -> Enrolment | None:
    """The step's message left: wait for the next step, or finish. Returns the enrolment when a wait began."""
    if enrolment.state == "pending_approval":
        enrolment.state = ENROLMENT.move(enrolment.state, "active")
    if enrolment.state != "active" or enrolment.step_no != step_no:
        return None
    upcoming = cadences.following(as_rules(steps_of(ctx.db, enrolment.cadence_version_id)), step_no)
    if upcoming is None:
        enrolment.state = ENROLMENT.move(enrolment.state, "finished")
        return None
    enrolment.state = ENROLMENT.move(enrolment.state, "waiting")
    enrolment.step_no = upcoming.step_no
    enrolment.due_at = ctx.now + timedelta(hours=upcoming.wait_hours)
    if back := back_at(ctx.db, enrolment, DEFAULT_ZONE, ctx.now):
        enrolment.due_at = max(enrolment.due_at, back)
    return enrolment


# While nobody knows what an answer means.
LOOK_AGAIN = timedelta(minutes=30)


def next_step(ctx: Context, enrolment: Enrolment, step_no: int) -> CadenceStep | datetime | None:
    """The step to draft now; when to look again, while it is put off; None when there is none."""
    if enrolment.state in ("stopped_reply", "stopped_bounce"):
        return step_after_stop(ctx.db, enrolment)
    if enrolment.state != "waiting" or enrolment.step_no != step_no:
        return None
    if enrolment.due_at is not None and ctx.now < enrolment.due_at:
        return enrolment.due_at  # put off since: the person is away
    campaign = ctx.db.get_one(OutreachCampaign, enrolment.campaign_id)
    if campaign.state == "paused":
        enrolment.state = ENROLMENT.move(enrolment.state, "paused")
        return None
    if has_unsettled(ctx.db, enrolment):
        return ctx.now + LOOK_AGAIN
    step = step_now(ctx.db, enrolment)
    enrolment.state = ENROLMENT.move(enrolment.state, "active")
    enrolment.due_at = None
    if step is None:
        enrolment.state = ENROLMENT.move(enrolment.state, "finished")
        return None
    enrolment.step_no = step.step_no
    return step


def wait_until_back(ctx: Context, keys: Collection[str], last: date | None) -> None:
    """Nothing of a cadence is due before who is away is back. The caller holds the person's lock."""
    if last is None:
        return
    waiting = select(Enrolment).where(
        written_to(Enrolment, keys), Enrolment.state.in_(LIVE_ENROLMENTS), Enrolment.due_at.is_not(None)
    )
    back = day_after(last, DEFAULT_ZONE)
    for enrolment in ctx.db.scalars(waiting.order_by(Enrolment.id).with_for_update()):
        if enrolment.due_at is not None and enrolment.due_at < back:
            enrolment.due_at = back


def resume_paused(ctx: Context, campaign_id: UUID) -> list[Enrolment]:
    """The enrolments of a campaign that goes on: their waits are on again."""
    paused = select(Enrolment).where(Enrolment.campaign_id == campaign_id, Enrolment.state == "paused")
    enrolments = list(ctx.db.scalars(paused.order_by(Enrolment.id).with_for_update()))
    for enrolment in enrolments:
        enrolment.state = ENROLMENT.move(enrolment.state, "waiting")
    return enrolments


def announce_stop(ctx: Context, enrolment_id: UUID | None) -> None:
    """When the author wrote a step for the way this cadence ended, it is due."""
    enrolment = ctx.db.get(Enrolment, enrolment_id) if enrolment_id else None
    step = step_after_stop(ctx.db, enrolment) if enrolment else None
    if enrolment is not None and step is not None:
        ctx.emit(StepDue(enrolment_id=enrolment.id, step_no=step.step_no))


def stop_enrolment(enrolment: Enrolment | None, state: str, reason: str) -> None:
    """End one enrolment, unless it already ended; a first message that lapsed makes it `expired`."""
    if enrolment is None or enrolment.state not in LIVE_ENROLMENTS:
        return
    if state == "expired" and enrolment.state != "pending_approval":
        state = "stopped_manual"
    enrolment.state = ENROLMENT.move(enrolment.state, state)
    enrolment.stopped_reason = reason
    enrolment.due_at = None
