"""People going through a cadence: which step is due, and what follows the way it ended."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.sdr.queries.cadences import as_rules, steps_of
from somos.modules.sdr.queries.people import written_to
from somos.modules.sdr.rules import cadences
from somos.modules.sdr.rules.cadences import History
from somos.modules.sdr.rules.machines import LIVE_ENROLMENTS
from somos.modules.sdr.tables.cadences import CadenceStep
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.messages import OutreachMessage


def live_people(db: Session, lead_ids: Collection[UUID], keys: Collection[str]) -> set[str | UUID]:
    """Of these leads and keys, those of people who are in a cadence already, of any campaign."""
    columns = select(Enrolment.lead_id, Enrolment.phone_key, Enrolment.email_key)
    whose = Enrolment.lead_id.in_(lead_ids) | written_to(Enrolment, keys)
    rows = db.execute(columns.where(whose, Enrolment.state.in_(LIVE_ENROLMENTS))).all()
    return {value for row in rows for value in row if value is not None}


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
    chosen = cadences.after_stop(as_rules(steps), cause, enrolment.step_no)  # type: ignore[arg-type]
    return next((step for step in steps if chosen and step.step_no == chosen.step_no), None)
