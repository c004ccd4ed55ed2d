"""What migrations make is what the tables say: nothing is added by hand, nothing is forgotten."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from somos.mesh import ddl
from somos.mesh.database import engine_for
from somos.mesh.tables import Root
from somos.migrations import load_tables


def test_a_migrated_database_holds_exactly_the_declared_tables(database_urls: tuple[str, str]) -> None:
    load_tables()
    schemas = {table.schema for table in Root.metadata.tables.values()}

    def ours(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
        if kind == "schema":
            return name in schemas
        if kind == "table":
            loose = (parents["schema_name"], name) == ("mesh", "alembic_version") or str(name).startswith("toy_")
            return not loose
        return True

    engine = engine_for(database_urls[1], pool_size=1)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_schemas": True, "include_name": ours})
        assert compare_metadata(context, Root.metadata) == []
    engine.dispose()


def test_every_business_table_is_audited_and_walled(database_urls: tuple[str, str]) -> None:
    load_tables()
    engine = engine_for(database_urls[1], pool_size=1)
    with engine.connect() as connection:
        audited = set(
            connection.execute(
                text(
                    "select n.nspname || '.' || c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid "
                    "join pg_namespace n on n.oid = c.relnamespace where t.tgname = 'somos_audit'"
                )
            ).scalars()
        )
        walled = set(
            connection.execute(
                text(
                    "select n.nspname || '.' || c.relname from pg_class c "
                    "join pg_namespace n on n.oid = c.relnamespace "
                    "where c.relrowsecurity and c.relforcerowsecurity"
                )
            ).scalars()
        )
    engine.dispose()
    wanted = {str(table.__table__) for table in ddl.business_tables()}
    assert wanted
    assert wanted <= audited
    assert wanted <= walled
