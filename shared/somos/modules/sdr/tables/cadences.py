"""Cadences and their frozen versions."""

from datetime import datetime
from typing import get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, one_of
from somos.modules.sdr.rules.cadences import CONDITIONS
from somos.modules.sdr.rules.words import Channel
from somos.policy.scopes import Everyone, Via


class Cadence(Versioned, Table):
    """A named sequence of steps; its draft is edited, publishing freezes a version."""

    __tablename__ = "cadences"
    __table_args__ = ({"schema": "sdr"},)
    __scope__ = Everyone()

    name: Mapped[str]
    description: Mapped[str | None]
    archived: Mapped[bool] = mapped_column(default=False)
    published_no: Mapped[int | None]


class CadenceVersion(Table):
    """The steps as they were when published (version_no), or the draft (version_no 0)."""

    __tablename__ = "cadence_versions"
    __table_args__ = (UniqueConstraint("cadence_id", "version_no"), {"schema": "sdr"})
    __scope__ = Via(Cadence, "cadence_id")

    cadence_id: Mapped[UUID] = mapped_column(ForeignKey(Cadence.id))
    version_no: Mapped[int]
    published_at: Mapped[datetime | None]
    published_by: Mapped[UUID | None]


class CadenceStep(Table):
    """One step of one version."""

    __tablename__ = "cadence_steps"
    __table_args__ = (
        UniqueConstraint("cadence_version_id", "step_no"),
        one_of("channel", get_args(Channel)),
        one_of("condition", CONDITIONS),
        CheckConstraint("wait_hours between 0 and 2160", name="wait_hours"),
        {"schema": "sdr"},
    )
    __scope__ = Via(CadenceVersion, "cadence_version_id")

    cadence_version_id: Mapped[UUID] = mapped_column(ForeignKey(CadenceVersion.id, ondelete="cascade"))
    step_no: Mapped[int]
    channel: Mapped[str]
    sender_id: Mapped[UUID | None] = mapped_column(ForeignKey("sdr.senders.id"))
    wait_hours: Mapped[int] = mapped_column(default=0)
    condition: Mapped[str] = mapped_column(default="always")
    else_step: Mapped[int | None]
    instruction: Mapped[str]
