"""The exact keys of leads."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, one_of
from somos.modules.hunter.tables.leads import Lead
from somos.policy.scopes import Via


class LeadKey(Table):
    """An exact key of one lead, as keyed hash: no two leads hold the same, and it outlives erasure."""

    __tablename__ = "lead_keys"
    __table_args__ = (
        UniqueConstraint("hash"),
        one_of("kind", ["phone", "email", "domain", "cnpj", "profile"]),
        Index("ix_lead_keys_lead_id", "lead_id"),
        {"schema": "hunter"},
    )
    __scope__ = Via(Lead, "lead_id")
    __audited__: ClassVar[tuple[str, ...]] = ("update", "delete")

    lead_id: Mapped[UUID] = mapped_column(ForeignKey("hunter.leads.id", ondelete="CASCADE"))
    kind: Mapped[str]
    hash: Mapped[str]
