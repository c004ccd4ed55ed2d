"""People going through a cadence: what comes after a message left, and which step is due."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.events.sdr import StepDue
from somos.mesh import Context
from somos.modules.sdr.absences import back_at
from somos.modules.sdr.people import written_to
from somos.modules.sdr.rules import cadences
from somos.modules.sdr.rules.cadences import History, Step
from somos.modules.sdr.rules.machines import ENROLMENT, LIVE_ENROLMENTS, move
from somos.modules.sdr.rules.windows import DEFAULT_ZONE
from somos.modules.sdr.tables import CadenceStep, CadenceVersion, Enrolment, OutreachMessage


def steps_of(db: Session, version_id: UUID | None) -> list[CadenceStep]:
    """The steps of a frozen version, in order; none for a campaign of one message."""
    if version_id is None:
        return []
    return list(
        db.scalars(
            select(CadenceStep).where(CadenceStep.cadence_version_id == version_id).order_by(CadenceStep.step_no)
        )
    )


def published(db: Session, cadence_id: UUID) -> CadenceVersion | None:
    """The version that new enrolments get."""
    return db.scalars(
        select(CadenceVersion)
        .where(CadenceVersion.cadence_id == cadence_id, CadenceVersion.version_no > 0)
        .order_by(CadenceVersion.version_no.desc())
        .limit(1)
    ).first()


def as_rules(steps: Sequence[CadenceStep]) -> list[Step]:
    return [Step(s.step_no, s.channel, s.wait_hours, s.condition, s.else_step) for s in steps]  # type: ignore[arg-type]


def has_live(db: Session, lead_id: UUID, keys: Sequence[str]) -> bool:
    """Whether this person is in a cadence already, of any campaign."""
    mine = select(Enrolment.id).where(
        (Enrolment.lead_id == lead_id) | written_to(Enrolment, keys), Enrolment.state.in_(LIVE_ENROLMENTS)
    )
    return db.scalar(mine.limit(1)) is not None


def after_sent(db: Session, enrolment: Enrolment, step_no: int, now: datetime) -> Enrolment | None:
    """The step's message left: wait for the next step, or finish. Returns the enrolment when a wait began."""
    if enrolment.state == "pending_approval":
        enrolment.state = move(ENROLMENT, enrolment.state, "active")
    if enrolment.state != "active" or enrolment.step_no != step_no:
        return None
    upcoming = cadences.following(as_rules(steps_of(db, enrolment.cadence_version_id)), step_no)
    if upcoming is None:
        enrolment.state = move(ENROLMENT, enrolment.state, "finished")
        return None
    enrolment.state = move(ENROLMENT, enrolment.state, "waiting")
    enrolment.step_no = upcoming.step_no
    enrolment.due_at = now + timedelta(hours=upcoming.wait_hours)
    if back := back_at(db, enrolment, DEFAULT_ZONE, now):
        enrolment.due_at = max(enrolment.due_at, back)
    return enrolment


def step_now(db: Session, enrolment: Enrolment) -> CadenceStep | None:
    """The step to run now that the enrolment's step is due, down its branches; None when the cadence is over."""
    steps = steps_of(db, enrolment.cadence_version_id)
    opened = db.scalar(
        select(OutreachMessage.id)
        .where(OutreachMessage.enrolment_id == enrolment.id, OutreachMessage.opened_at.is_not(None))
        .limit(1)
    )
    due = cadences.due_step(as_rules(steps), enrolment.step_no, History(opened=opened is not None))
    return next((step for step in steps if due and step.step_no == due.step_no), None)


def step_after_stop(db: Session, enrolment: Enrolment) -> CadenceStep | None:
    """The step that the author wrote for the way this cadence ended, if any."""
    causes = {"stopped_reply": "replied", "stopped_bounce": "bounced"}
    cause = causes.get(enrolment.state)
    if cause is None:
        return None
    steps = steps_of(db, enrolment.cadence_version_id)
    found = cadences.after_stop(as_rules(steps), cause, enrolment.step_no)  # type: ignore[arg-type]
    return next((step for step in steps if found and step.step_no == found.step_no), None)


def resume_paused(db: Session, campaign_id: UUID) -> list[Enrolment]:
    """The enrolments of a campaign that goes on: their waits are on again."""
    paused = select(Enrolment).where(Enrolment.campaign_id == campaign_id, Enrolment.state == "paused")
    found = list(db.scalars(paused.order_by(Enrolment.id).with_for_update()))
    for enrolment in found:
        enrolment.state = move(ENROLMENT, enrolment.state, "waiting")
    return found


def announce_stop(ctx: Context, db: Session, enrolment_id: UUID | None) -> None:
    """When the author wrote a step for the way this cadence ended, it is due."""
    enrolment = db.get(Enrolment, enrolment_id) if enrolment_id else None
    step = step_after_stop(db, enrolment) if enrolment else None
    if enrolment is not None and step is not None:
        ctx.emit(StepDue(enrolment_id=enrolment.id, step_no=step.step_no))
