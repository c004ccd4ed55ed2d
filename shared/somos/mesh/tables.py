"""The declarative base of every business table."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, MetaData, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from somos.mesh import clock
from somos.mesh.ids import uuid7

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Root(DeclarativeBase):
    """Every mapped class, the mesh's own included."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: Uuid(as_uuid=True),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(none_as_null=True),
        list[Any]: JSONB(none_as_null=True),
    }


class Table(Root):
    """A business table: a UUIDv7 key and its times; changes are audited by a trigger.

    `__scope__` says who sees which rows (somos.policy.scopes); `__redact__` names columns that never
    reach the audit trail, `__audited__` which operations do (not the inserts of a table whose rows are themselves
    records of what was found, by whom and when); `__searched__` names columns whose words are looked up
    (somos.mesh.searching); `__extra_ddl__(app_role)` gives what only the table knows (frozen rows, revoked rights),
    as statements that can be repeated.
    """

    __abstract__ = True
    __scope__: ClassVar[Any] = None
    __redact__: ClassVar[frozenset[str]] = frozenset()
    __audited__: ClassVar[tuple[str, ...]] = ("insert", "update", "delete")
    __searched__: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __extra_ddl__(cls, app_role: str) -> Iterable[str]:
        return ()

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-10)
    # Dated by the one clock; the database's own is for rows that an operator writes by hand.
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now(), sort_order=90)
    updated_at: Mapped[datetime] = mapped_column(
        default=clock.now, onupdate=clock.now, server_default=func.now(), sort_order=91
    )


class Versioned:
    """Optimistic lock: a write over a newer row fails instead of erasing it."""

    version: Mapped[int] = mapped_column(sort_order=92)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version if hasattr(cls, "__table__") else cls.version}


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """A CHECK that keeps a text column to the states its machine knows."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


def listed(*columns: str) -> Iterator[Index]:
    """An index for each column that lists are filtered or sorted by; ids break ties, as in `Filter.runs`."""
    return (Index(None, column, "id") for column in columns)
