"""What every migration ends with: schemas, grants, row security, audit triggers. Derived, and safe to repeat."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from somos.mesh import audit, row_security, text_search
from somos.mesh.tables import Root, Table
from somos.policy import rls

# Hundreds of small processes keep a connection each: one that nobody used for a while is given back, and whoever needs
# it again opens it again. A pooler in between gives back sooner by itself.
IDLE = "2min"
_GIVE_BACK = f"""
do $body$ begin
    execute format('alter database %I set idle_session_timeout = %L', current_database(), '{IDLE}');
end $body$
"""


def schemas() -> list[str]:
    """Every PostgreSQL schema of the loaded tables."""
    return sorted({table.schema for table in Root.metadata.tables.values() if table.schema})


def finish(connection: Connection, app_role: str) -> None:
    """Bring grants, policies, functions and triggers to what the code says. Run as the owner."""
    for statement in statements(app_role):
        connection.execute(text(statement.replace(":", "\\:")))


def statements(app_role: str) -> Iterator[str]:
    """The whole of it, in order."""
    role = '"' + app_role.replace('"', '""') + '"'
    yield _GIVE_BACK
    for schema in schemas():
        yield f"grant usage on schema {schema} to {role}"
        yield f"grant select, insert, update, delete on all tables in schema {schema} to {role}"
        yield f"grant usage on all sequences in schema {schema} to {role}"
    yield from audit.statements(role)
    for table in business_tables():
        yield from audit.of_table(table)
        yield from table.__extra_ddl__(role)
    yield from text_search.statements(business_tables(), role)
    yield from rls.statements(Root)
    yield from row_security.statements()


def business_tables() -> list[type[Table]]:
    """Mapped business tables, by name."""
    by_name: dict[str, type[Table]] = {}
    for mapper in Root.registry.mappers:
        if issubclass(mapper.class_, Table):
            by_name[str(mapper.local_table)] = mapper.class_
    return [by_name[name] for name in sorted(by_name)]
