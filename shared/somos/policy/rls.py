"""The second check: row-level security written from the same matrix and scopes that handlers use.

Each table gets one policy per command. A policy reads who is acting from settings that the mesh makes at
the start of each transaction, wrapped in a sub-select so that PostgreSQL evaluates them once per statement.
Without settings nothing is visible. FORCE makes the policies bind the table's owner too; only a superuser or
BYPASSRLS escapes, and the application's role is neither.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, Select, Uuid, and_, false, literal_column, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase

from .matrix import MATRIX, Reach, Verb
from .roles import SEED_ROLES, Role
from .scopes import ScopeError, Who, access, module_of, rows

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
# A setting that was set in an earlier transaction of the connection reads back as '', hence nullif.
_WHO: Final = Who(
    user=literal_column("(select cast(nullif(current_setting('somos.user_id', true), '') as uuid))", Uuid()),
    company=literal_column(
        "(select cast(nullif(current_setting('somos.client_company_id', true), '') as uuid))", Uuid()
    ),
)

_COMMANDS: Final[tuple[tuple[str, Verb, str], ...]] = (
    ("select", "read", "using ({rule})"),
    ("insert", "write", "with check ({rule})"),
    ("update", "write", "using ({rule}) with check ({rule})"),
    ("delete", "write", "using ({rule})"),
)


def statements(base: type[DeclarativeBase]) -> list[str]:
    """DDL for every mapped table of a business schema; run it again when the matrix or a scope changes."""
    return [line for table in protected_tables(base) for line in table_statements(table)]


def protected_tables(base: type[DeclarativeBase]) -> list[type[Any]]:
    """Mapped classes of all the matrix's schemas; tables of `mesh` only where they declare a scope."""
    mapped: dict[str, type[Any]] = {}
    for mapper in base.registry.mappers:
        table: Any = mapper.local_table
        if mapper.inherits is not None and mapper.inherits.local_table is table:
            continue  # one table for a family of classes: the first class speaks for it
        if table.schema == "mesh" and getattr(mapper.class_, "__scope__", None) is None:
            continue
        module_of(mapper.class_)
        mapped[table.fullname] = mapper.class_
    for name, loose in base.metadata.tables.items():
        if loose.schema in MATRIX and loose.schema != "mesh" and name not in mapped:
            raise ScopeError(f"table {name} has no mapped class, so nothing says whose its rows are")
    return [mapped[name] for name in sorted(mapped)]


def table_statements(table: type[Any]) -> list[str]:
    """Idempotent DDL for one table."""
    name = _DIALECT.identifier_preparer.format_table(table.__table__)
    return [
        f"alter table {name} enable row level security",
        f"alter table {name} force row level security",
        *_policies(table, name),
    ]


def _policies(table: type[Any], name: str) -> Iterator[str]:
    for command, verb, clause in _COMMANDS:
        yield f"drop policy if exists somos_{command} on {name}"
        rule = _sql(table, _rule(table, verb))
        yield f"create policy somos_{command} on {name} for {command} {clause.format(rule=rule)}"


def _rule(table: type[Any], verb: Verb) -> ColumnElement[bool]:
    by_reach = {how: [role for role in SEED_ROLES if access(table, role, verb) is how] for how in Reach}
    return or_(
        _is_one_of([Role.system, *by_reach[Reach.all]]),
        *(
            and_(_is_one_of(by_reach[how]), rows(table, _WHO, how, verb))
            for how in (Reach.own, Reach.client)
            if by_reach[how]
        ),
    )


def _is_one_of(roles: Iterable[Role]) -> ColumnElement[bool]:
    """Compared inside the sub-select: outside it is compared for every row, and taken to let next to none pass."""
    names = ", ".join(f"'{role.value}'" for role in roles)
    return literal_column(f"(select current_setting('somos.role', true) in ({names}))", Boolean()) if names else false()


def _sql(table: type[Any], rule: ColumnElement[bool]) -> str:
    # Rendered as the WHERE of a query on the table, so that sub-selects refer to the row being judged.
    query: Select[int] = select(literal_column("1")).select_from(table.__table__).where(rule)
    text = str(query.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
    _, _, where = text.partition("\nWHERE ")
    assert where, text
    return " ".join(where.split())
