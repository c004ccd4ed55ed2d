"""Where leads were come across."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table
from somos.modules.hunter.tables.leads import Lead
from somos.policy.scopes import Via


class LeadOrigin(Table):
    """Where a lead was come across: one row per source and its own id, so the same result adds nothing."""

    __tablename__ = "lead_origins"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("ix_lead_origins_lead_id", "lead_id"),
        {"schema": "hunter"},
    )
    __scope__ = Via(Lead, "lead_id")
    __audited__: ClassVar[tuple[str, ...]] = ("update", "delete")

    lead_id: Mapped[UUID] = mapped_column(ForeignKey("hunter.leads.id", ondelete="CASCADE"))
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("hunter.search_sessions.id"))
    source: Mapped[str]
    external_id: Mapped[str]
    url: Mapped[str | None]
    seen_at: Mapped[datetime]
