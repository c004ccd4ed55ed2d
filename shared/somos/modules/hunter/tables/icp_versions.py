"""The versions of ideal customer profiles."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table
from somos.modules.hunter.tables.icp_profiles import IcpProfile
from somos.policy.scopes import Via


class IcpVersion(Table):
    """The criteria as they were saved; never changed. Every search and score names the one it used."""

    __tablename__ = "icp_versions"
    __table_args__ = (UniqueConstraint("icp_id", "number"), {"schema": "hunter"})
    __scope__ = Via(IcpProfile, "icp_id")

    @classmethod
    def __extra_ddl__(cls, app_role: str) -> Iterable[str]:
        return (f"revoke update, delete on hunter.icp_versions from {app_role}",)

    icp_id: Mapped[UUID] = mapped_column(ForeignKey("hunter.icp_profiles.id"))
    number: Mapped[int]
    criteria: Mapped[dict[str, Any]]
    saved_by: Mapped[UUID]
