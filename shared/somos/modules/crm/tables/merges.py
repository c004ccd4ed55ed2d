"""The record of two becoming one."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from somos.mesh.tables import Table, one_of
from somos.modules.crm.rules.merges import FIELDS
from somos.policy.scopes import Own


class Merge(Table):
    """Two records became one: which survived, what was chosen, and what the other one held."""

    __tablename__ = "merges"
    __table_args__ = (one_of("kind", FIELDS), {"schema": "crm"})
    __scope__ = Own("merged_by")

    kind: Mapped[str]
    survivor_id: Mapped[UUID]
    absorbed_id: Mapped[UUID]
    merged_by: Mapped[UUID]
    choices: Mapped[dict[str, Any]]
    absorbed_values: Mapped[dict[str, Any]]
    moved: Mapped[dict[str, Any]]
