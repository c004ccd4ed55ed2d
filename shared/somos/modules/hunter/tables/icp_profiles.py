"""Ideal customer profiles."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned
from somos.policy.scopes import Everyone


class IcpProfile(Table, Versioned):
    """A named profile. `number` is its newest version; archived profiles start no search."""

    __tablename__ = "icp_profiles"
    __table_args__ = ({"schema": "hunter"},)
    __scope__ = Everyone()

    name: Mapped[str]
    archived: Mapped[bool] = mapped_column(default=False)
    number: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[UUID]
