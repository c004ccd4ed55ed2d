"""Portfolios that passed to somebody else."""

from uuid import UUID

from sqlalchemy.orm import Mapped

from somos.mesh.tables import Table
from somos.policy.scopes import Everyone


class Handover(Table):
    """A seller's portfolio passed to another person: from whom, to whom, why, and how much."""

    __tablename__ = "handovers"
    __table_args__ = ({"schema": "crm"},)
    __scope__ = Everyone(readers="deal.reassign", writers="deal.reassign")

    from_user_id: Mapped[UUID]
    to_user_id: Mapped[UUID]
    made_by: Mapped[UUID]
    reason: Mapped[str]
    deals: Mapped[int]
    companies: Mapped[int]
    contacts: Mapped[int]
    tasks: Mapped[int]
