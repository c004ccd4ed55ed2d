"""Ideal customer profiles with their versions, and what an administrator teaches about reading sites."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, one_of
from somos.modules.hunter.rules.extraction import ACTIONS, KINDS
from somos.policy.scopes import Everyone, Via


class IcpProfile(Table, Versioned):
    """A named profile. `number` is its newest version; archived profiles start no search."""

    __tablename__ = "icp_profiles"
    __table_args__ = ({"schema": "hunter"},)
    __scope__ = Everyone()

    name: Mapped[str]
    archived: Mapped[bool] = mapped_column(default=False)
    number: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[UUID]


class IcpVersion(Table):
    """The criteria as they were saved; never changed. Every search and score names the one it used."""

    __tablename__ = "icp_versions"
    __table_args__ = (UniqueConstraint("icp_id", "number"), {"schema": "hunter"})
    __scope__ = Via(IcpProfile, "icp_id")

    @classmethod
    def __extra_ddl__(cls, app_role: str) -> Iterable[str]:
        return (f"revoke update, delete on hunter.icp_versions from {app_role}",)

    icp_id: Mapped[UUID] = mapped_column(ForeignKey(IcpProfile.id))
    number: Mapped[int]
    criteria: Mapped[dict[str, Any]]
    saved_by: Mapped[UUID]


class ExtractionRule(Table, Versioned):
    """Addresses on sites to ignore or to prefer, as globs."""

    __tablename__ = "extraction_rules"
    __table_args__ = (
        UniqueConstraint("kind", "pattern"),
        one_of("kind", KINDS),
        one_of("action", ACTIONS),
        {"schema": "hunter"},
    )
    __scope__ = Everyone(writers="hunter.configure")

    kind: Mapped[str]
    action: Mapped[str]
    pattern: Mapped[str]
    note: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
