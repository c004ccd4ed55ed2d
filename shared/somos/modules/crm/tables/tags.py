"""The words the house marks records with."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from somos.mesh.tables import Table, Versioned
from somos.policy.scopes import Everyone


class Tag(Table, Versioned):
    """A word the house marks records with."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("name_key"), {"schema": "crm"})
    __scope__ = Everyone()

    name: Mapped[str]
    name_key: Mapped[str]
    color: Mapped[str]
