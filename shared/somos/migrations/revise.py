"""Write a revision of one schema: `python -m somos.migrations.revise crm "Add ..."`."""

import sys

from alembic import command
from alembic.script import ScriptDirectory

from somos.mesh.database import engine_for
from somos.migrations import HERE, _make_schemas, configuration, load_tables
from somos.settings import Settings


def revise(owner_url: str, schema: str, message: str) -> None:
    """Upgrade, then autogenerate on the branch of `schema`; read what it wrote before committing it."""
    load_tables()
    engine = engine_for(owner_url, pool_size=1)
    _make_schemas(engine)
    (HERE / "versions" / schema).mkdir(parents=True, exist_ok=True)
    command.upgrade(configuration(engine), "heads")
    config = configuration(engine)
    config.attributes["schema"] = schema
    branches = ScriptDirectory.from_config(config)
    begun = any(schema in revision.branch_labels for revision in branches.walk_revisions())
    command.revision(
        config,
        message=message,
        autogenerate=True,
        head=f"{schema}@head" if begun else "base",
        branch_label=None if begun else schema,
        version_path=str(HERE / "versions" / schema),
        rev_id=None if begun else f"{schema}_0001",
    )
    engine.dispose()


if __name__ == "__main__":
    revise(Settings.from_environment().database_owner_url, sys.argv[1], sys.argv[2])
