"""The steps of cadences."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.sdr.rules.cadences import Step
from somos.modules.sdr.tables.cadences import CadenceStep, CadenceVersion


def steps_of(db: Session, version_id: UUID | None) -> list[CadenceStep]:
    """The steps of a frozen version, in order; none for a campaign of one message."""
    if version_id is None:
        return []
    return list(
        db.scalars(
            select(CadenceStep).where(CadenceStep.cadence_version_id == version_id).order_by(CadenceStep.step_no)
        )
    )


def versions_of(db: Session, cadence_id: UUID) -> list[CadenceVersion]:
    """The draft (0) and every published version, in order."""
    versions = select(CadenceVersion).where(CadenceVersion.cadence_id == cadence_id)
    return list(db.scalars(versions.order_by(CadenceVersion.version_no)))


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
