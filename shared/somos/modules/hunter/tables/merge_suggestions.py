"""Leads that may be one."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, one_of
from somos.modules.hunter.rules.merge_suggestions import STATES
from somos.modules.hunter.tables.leads import Lead
from somos.policy.scopes import Via


class MergeSuggestion(Table):
    """Two leads alike in name and city: a person says whether they are one."""

    __tablename__ = "merge_suggestions"
    __table_args__ = (
        UniqueConstraint("lead_id", "other_id"),
        CheckConstraint("lead_id <> other_id", name="two"),
        one_of("state", STATES),
        Index("ix_merge_suggestions_other_id", "other_id"),
        Index("ix_merge_suggestions_state", "state", "likeness", "id"),
        {"schema": "hunter"},
    )
    __scope__ = Via(Lead, "lead_id")

    lead_id: Mapped[UUID] = mapped_column(ForeignKey("hunter.leads.id", ondelete="CASCADE"))
    other_id: Mapped[UUID] = mapped_column(ForeignKey("hunter.leads.id", ondelete="CASCADE"))
    likeness: Mapped[int]
    state: Mapped[str] = mapped_column(default="open")
    decided_by: Mapped[UUID | None]
