"""Alembic's entry: compares and upgrades over the engine that `somos.migrations` hands in."""

from typing import Any

from alembic import context

from somos.mesh.tables import Root

config = context.config
only = config.attributes.get("schema")


def include(name: str | None, kind: str, parents: Any) -> bool:
    if kind == "schema":
        return name == only if only else name in {t.schema for t in Root.metadata.tables.values()}
    if kind == "table":
        return (parents.get("schema_name"), name) != ("mesh", "alembic_version")
    return True


def include_object(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:  # noqa: ARG001
    return not (kind == "table" and only and thing.schema != only)


with config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Root.metadata,
        include_schemas=True,
        include_name=include,
        include_object=include_object,
        version_table_schema="mesh",
        compare_server_default=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
