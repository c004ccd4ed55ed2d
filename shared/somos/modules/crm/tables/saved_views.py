"""Filters that people keep."""

from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, one_of
from somos.policy.scopes import Own

VIEW_OF = ("deals", "companies", "contacts")


class SavedView(Table, Versioned):
    """Filters a person keeps under a name; shared ones are read by all, changed by their owner."""

    __tablename__ = "saved_views"
    __table_args__ = (
        one_of("view_of", VIEW_OF),
        UniqueConstraint("owner_id", "view_of", "name"),
        {"schema": "crm"},
    )
    __scope__ = Own("owner_id", private=True, shared="shared")

    owner_id: Mapped[UUID]
    view_of: Mapped[str]
    name: Mapped[str]
    filters: Mapped[dict[str, Any]]
    shared: Mapped[bool] = mapped_column(default=False)
