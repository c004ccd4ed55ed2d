"""Write a revision of one schema: `python -m somos.migrations.revise crm "Add ..."`.

It needs no database and touches nobody's: it starts one of its own, which ends with it.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.script import Script, ScriptDirectory

from somos.local import postgres
from somos.local.addresses import free_port
from somos.local.processes import EngineFailed, dying_with_us, spawn, wait_for
from somos.mesh.database import engine_for
from somos.mesh.tables import Root
from somos.migrations import HERE, _make_schemas, configuration, load_tables

USAGE = 'usage: python -m somos.migrations.revise SCHEMA "Add ..."; a schema is a module: {schemas}'


def revise(schema: str, message: str) -> Path:
    """The next revision on the branch of `schema`, from what its tables say and the revisions before do not yet.

    Read what it wrote before committing it: Alembic sees neither CHECKs nor renamings.
    """
    with _own_postgres() as owner_url:
        engine = engine_for(owner_url, pool_size=1)
        _make_schemas(engine)
        (HERE / "versions" / schema).mkdir(parents=True, exist_ok=True)
        command.upgrade(configuration(engine), "heads")
        config = configuration(engine)
        config.attributes["schema"] = schema
        branches = ScriptDirectory.from_config(config)
        begun = any(schema in revision.branch_labels for revision in branches.walk_revisions())
        last = branches.get_revision(f"{schema}@head").revision if begun else f"{schema}_0000"
        written = command.revision(
            config,
            message=message,
            autogenerate=True,
            head=f"{schema}@head" if begun else "base",
            branch_label=None if begun else schema,
            version_path=str(HERE / "versions" / schema),
            rev_id=f"{schema}_{int(last.rpartition('_')[2]) + 1:04}",
        )
        engine.dispose()
    assert isinstance(written, Script)
    path = Path(written.path)
    path.write_text(re.sub(r"    # ### .*\n", "", path.read_text()))
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(path)], check=False)  # noqa: S603
    return path


@contextmanager
def _own_postgres() -> Iterator[str]:
    """The owner's address of a new PostgreSQL, thrown away at the end."""
    with TemporaryDirectory(prefix="somos-revise-") as name:
        folder, port = Path(name), free_port()
        secrets, log = folder / "secrets", folder / "postgres.log"
        started = postgres.command(folder, port, secrets, log, durable=False)
        child = spawn(dying_with_us(started, postgres.GENTLE), log)
        try:
            wait_for(lambda: child.poll() is not None or postgres.accepts(folder, child.pid), 30)
            if child.poll() is not None or not postgres.accepts(folder, child.pid):
                raise EngineFailed("o PostgreSQL não iniciou", log)
            yield postgres.addresses(port, secrets)[1]
        finally:
            child.send_signal(postgres.GENTLE)
            child.wait(10)


if __name__ == "__main__":
    load_tables()
    known = sorted({table.schema for table in Root.metadata.tables.values() if table.schema})
    if len(sys.argv) != 3 or sys.argv[1] not in known:
        sys.exit(USAGE.format(schemas=", ".join(known)))
    revise(sys.argv[1], sys.argv[2])
