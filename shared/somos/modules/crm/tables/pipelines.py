"""Kinds of sale, each with its own stages."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned
from somos.policy.scopes import Everyone


class Pipeline(Table, Versioned):
    """A sales process with its own stages: publicidade, institucional, evento, recorrente."""

    __tablename__ = "pipelines"
    __table_args__ = (UniqueConstraint("code"), {"schema": "crm"})
    __scope__ = Everyone(writers="crm.configure")

    code: Mapped[str]
    name: Mapped[str]
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
