"""What people said of leads."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, one_of
from somos.modules.hunter.rules.leads import DECISIONS
from somos.modules.hunter.tables.leads import Lead
from somos.policy.scopes import Via


class LeadLabel(Table):
    """What a person decided of a lead: kept, as what the score is measured against."""

    __tablename__ = "lead_labels"
    __table_args__ = (
        one_of("decision", DECISIONS),
        Index("ix_lead_labels_lead_id", "lead_id"),
        {"schema": "hunter"},
    )
    __scope__ = Via(Lead, "lead_id")
    __redact__: ClassVar[frozenset[str]] = frozenset({"reason"})

    lead_id: Mapped[UUID] = mapped_column(ForeignKey("hunter.leads.id", ondelete="CASCADE"))
    decision: Mapped[str]
    reason: Mapped[str | None]
    decided_by: Mapped[UUID]
    score: Mapped[int | None]
    icp_id: Mapped[UUID]
    icp_number: Mapped[int]
    source: Mapped[str]
