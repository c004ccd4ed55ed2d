"""Cadences, their frozen versions, and the people going through one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.sdr.rules.cadences import CONDITIONS
from somos.modules.sdr.rules.machines import ENROLMENT, LIVE_ENROLMENTS
from somos.modules.sdr.tables.senders import CHANNELS, Sender
from somos.policy.scopes import Everyone, Via

_LIVE = text(f"state in {LIVE_ENROLMENTS}")


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
        one_of("channel", CHANNELS),
        one_of("condition", CONDITIONS),
        CheckConstraint("wait_hours between 0 and 2160", name="wait_hours"),
        {"schema": "sdr"},
    )
    __scope__ = Via(CadenceVersion, "cadence_version_id")

    cadence_version_id: Mapped[UUID] = mapped_column(ForeignKey(CadenceVersion.id, ondelete="cascade"))
    step_no: Mapped[int]
    channel: Mapped[str]
    sender_id: Mapped[UUID | None] = mapped_column(ForeignKey(Sender.id))
    wait_hours: Mapped[int] = mapped_column(default=0)
    condition: Mapped[str] = mapped_column(default="always")
    else_step: Mapped[int | None]
    instruction: Mapped[str]


class Enrolment(Versioned, Table):
    """One person going through one campaign; the indexes allow one live enrolment per person."""

    __tablename__ = "enrolments"
    __table_args__ = (
        one_of("state", ENROLMENT),
        UniqueConstraint("campaign_id", "lead_id"),
        *listed("campaign_id", "lead_id", "state"),
        Index("uq_enrolments_live_lead", "lead_id", unique=True, postgresql_where=_LIVE),
        Index("uq_enrolments_live_phone", "phone_key", unique=True, postgresql_where=_LIVE),
        Index("uq_enrolments_live_email", "email_key", unique=True, postgresql_where=_LIVE),
        {"schema": "sdr"},
    )
    __scope__ = Everyone()

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("sdr.outreach_campaigns.id"))
    cadence_version_id: Mapped[UUID | None] = mapped_column(ForeignKey(CadenceVersion.id))
    lead_id: Mapped[UUID]
    phone_key: Mapped[str | None]
    email_key: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="pending_approval")
    step_no: Mapped[int] = mapped_column(default=1)
    due_at: Mapped[datetime | None]
    stopped_reason: Mapped[str | None]
