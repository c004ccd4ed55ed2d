"""What is known of leads, and from where."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, one_of
from somos.modules.hunter.rules.facts import ORIGINS
from somos.modules.hunter.tables.leads import Lead
from somos.policy.scopes import Via


class LeadSource(Table):
    """The provenance of one value: {field, value, source, method, url, seen_at}."""

    __tablename__ = "lead_sources"
    __table_args__ = (
        one_of("source", ORIGINS),
        Index("ix_lead_sources_lead_id", "lead_id", "field"),
        {"schema": "hunter"},
    )
    __scope__ = Via(Lead, "lead_id")
    __redact__: ClassVar[frozenset[str]] = frozenset({"value", "url"})
    __audited__: ClassVar[tuple[str, ...]] = ("update", "delete")

    lead_id: Mapped[UUID] = mapped_column(ForeignKey("hunter.leads.id", ondelete="CASCADE"))
    field: Mapped[str]
    value: Mapped[str] = mapped_column(Text)
    source: Mapped[str]
    method: Mapped[str]
    url: Mapped[str | None]
    seen_at: Mapped[datetime]
    rank: Mapped[int] = mapped_column(default=0)
    late: Mapped[bool] = mapped_column(default=False)
