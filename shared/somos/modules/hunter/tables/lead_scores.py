"""What leads are worth, and why."""

from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table
from somos.modules.hunter.tables.leads import Lead
from somos.policy.scopes import Via


class LeadScore(Table):
    """One judgement: rubric, evidence, each criterion with answer, quote and points, the sum and the reason."""

    __tablename__ = "lead_scores"
    __table_args__ = (
        UniqueConstraint("lead_id", "rubric_version", "evidence_hash"),
        CheckConstraint("total between 0 and 100", name="total"),
        {"schema": "hunter"},
    )
    __scope__ = Via(Lead, "lead_id")
    __redact__: ClassVar[frozenset[str]] = frozenset({"criteria", "reason"})

    lead_id: Mapped[UUID] = mapped_column(ForeignKey("hunter.leads.id", ondelete="CASCADE"))
    icp_id: Mapped[UUID]
    icp_number: Mapped[int]
    rubric_version: Mapped[str]
    evidence_hash: Mapped[str]
    criteria: Mapped[list[Any]]
    total: Mapped[int]
    qualified: Mapped[bool]
    exclusion: Mapped[str | None]
    reason: Mapped[str] = mapped_column(Text)
    # Nobody was asked when code alone could answer.
    model: Mapped[str | None]
    prompt_version: Mapped[str | None]
