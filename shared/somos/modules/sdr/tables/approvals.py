"""Requests that a person decides."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, listed, one_of
from somos.modules.sdr.rules.machines import (
    APPROVAL,
)
from somos.modules.sdr.tables.guards import frozen_when
from somos.policy.scopes import Everyone


class Approval(Table):
    """A request that a person decides: the subject's type, id, version and hash are part of it."""

    __tablename__ = "approvals"
    __table_args__ = (
        one_of("state", APPROVAL.states),
        CheckConstraint("state not in ('approved', 'rejected') or decided_by is not null", name="decided"),
        Index(
            "uq_approvals_pending",
            "subject_type",
            "subject_id",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
        *listed("state", "subject_type"),
        {"schema": "sdr"},
    )
    # Row security, too: an agent's key cannot even write the row.
    __scope__ = Everyone(writers="outreach.approve")

    subject_type: Mapped[str]
    subject_id: Mapped[UUID] = mapped_column(index=True)
    subject_version: Mapped[int]
    subject_hash: Mapped[str]
    state: Mapped[str] = mapped_column(default="pending")
    requested_by: Mapped[str]
    expires_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]

    @classmethod
    def __extra_ddl__(cls, app_role: str) -> Iterable[str]:
        return frozen_when("sdr.approvals", "old.state <> 'pending'", "a decided approval never changes")
