"""The columns of a pipeline's board."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned
from somos.policy.scopes import Everyone


class DealStage(Table, Versioned):
    """A column of the board: how likely its deals are, how long they may stay, what they must hold."""

    __tablename__ = "deal_stages"
    __table_args__ = (
        UniqueConstraint("pipeline_id", "name"),
        CheckConstraint("probability between 0 and 100", name="probability"),
        CheckConstraint("max_days > 0", name="max_days"),
        {"schema": "crm"},
    )
    __scope__ = Everyone(writers="crm.configure")

    pipeline_id: Mapped[UUID] = mapped_column(ForeignKey("crm.pipelines.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    position: Mapped[int]
    probability: Mapped[int]
    max_days: Mapped[int | None]
    required_fields: Mapped[list[Any]] = mapped_column(default=list)
