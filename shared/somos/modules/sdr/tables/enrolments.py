"""The people going through a cadence."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.sdr.rules.machines import (
    ENROLMENT,
    LIVE_ENROLMENTS,
)
from somos.policy.scopes import Everyone

_LIVE = text(f"state in {LIVE_ENROLMENTS}")


class Enrolment(Versioned, Table):
    """One person going through one campaign; the indexes allow one live enrolment per person."""

    __tablename__ = "enrolments"
    __table_args__ = (
        one_of("state", ENROLMENT.states),
        UniqueConstraint("campaign_id", "lead_id"),
        *listed("campaign_id", "lead_id", "state"),
        Index("uq_enrolments_live_lead", "lead_id", unique=True, postgresql_where=_LIVE),
        Index("uq_enrolments_live_phone", "phone_key", unique=True, postgresql_where=_LIVE),
        Index("uq_enrolments_live_email", "email_key", unique=True, postgresql_where=_LIVE),
        {"schema": "sdr"},
    )
    __scope__ = Everyone()

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("sdr.outreach_campaigns.id"))
    cadence_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("sdr.cadence_versions.id"))
    lead_id: Mapped[UUID]
    phone_key: Mapped[str | None]
    email_key: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="pending_approval")
    step_no: Mapped[int] = mapped_column(default=1)
    due_at: Mapped[datetime | None]
    stopped_reason: Mapped[str | None]
