"""The declarative base of every business table."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, MetaData, Uuid, event, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, declared_attr, mapped_column

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


@event.listens_for(Mapper, "after_configured")
def _leave_unloaded_tables_to_the_database() -> None:
    """A unit loads only the tables it reaches; a foreign key to another one must not stop it from writing.

    SQLAlchemy looks for the table that a key points to before it writes, unless the key is declared to be made apart
    (`use_alter`). Where all tables are loaded, as for migrations, nothing changes.
    """
    tables = Root.metadata.tables
    for table in tables.values():
        for constraint in table.foreign_key_constraints:
            target, _, _column = constraint.elements[0].target_fullname.rpartition(".")
            constraint.use_alter = constraint.use_alter or target not in tables


class Table(Root):
    """A business table: a UUIDv7 key and its times; changes are audited by a trigger.

    `__scope__` says who sees which rows (somos.policy.scopes); `__redact__` names columns that never
    reach the audit trail (secrets, what only its author reads, people's data that is erased in time), `__audited__`
    which operations do (not the inserts of a table whose rows are themselves records of what was found, by whom and
    when); `__searched__` names columns whose words are looked up
    (somos.mesh.text_search); `__extra_ddl__(app_role)` gives what only the table knows (frozen rows, revoked rights),
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
