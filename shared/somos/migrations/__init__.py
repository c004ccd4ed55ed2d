"""Bring a database to what the code says: one Alembic branch per module, then everything derived."""

from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import make_url

from somos.mesh import ddl
from somos.mesh.database import Acting, engine_for, transaction
from somos.mesh.tables import Root
from somos.migrations import phases
from somos.policy.principals import SYSTEM

HERE = Path(__file__).resolve().parent
MODULES = HERE.parent / "modules"
# One migration at a time, whoever starts it.
LOCK = 5_060_708
STATEMENT = "15s"
LOCK_WAIT = "5s"


def load_tables() -> None:
    """Import every mapped class, the mesh's first. A unit never does: it loads the tables that it reaches."""
    import_module("somos.mesh.records")
    for file in sorted((*MODULES.glob("*/tables.py"), *MODULES.glob("*/tables/*.py"))):
        import_module(".".join(("somos", "modules", *file.relative_to(MODULES).with_suffix("").parts)))


def migrate(owner_url: str, app_url: str, *, expand_only: bool = False) -> list[str]:
    """Upgrade every branch to its head and derive grants, policies and triggers again.

    With `expand_only` each branch stops before what the code of before could not live with; those revisions are
    returned. `owner_url` owns the schemas; the role in `app_url` gets what the application may do and no more.
    """
    load_tables()
    app_role = make_url(app_url).username or "somos_app"
    engine = engine_for(owner_url, pool_size=1)
    try:
        with engine.connect() as holder:
            holder.execute(text("set idle_session_timeout = 0"))  # it only holds the lock, however long that takes
            holder.execute(text("select pg_advisory_lock(:lock)"), {"lock": LOCK})
            holder.commit()
            _make_schemas(engine)
            config = configuration(engine)
            with engine.connect() as connection:
                contracts = phases.contracting(connection, config) if expand_only else []
                targets = phases.expanding(connection, config) if contracts else ["heads"]
            for target in targets:
                command.upgrade(config, target)
            with engine.begin() as connection:
                _refuse_unmade(connection)
                ddl.finish(connection, app_role)
            _limit(app_url)
            return contracts
    finally:
        engine.dispose()


class Unmade(Exception):
    """Tables are declared that no revision makes."""


def _refuse_unmade(connection: Connection) -> None:
    there = {f"{schema}.{name}" for schema in ddl.schemas() for name in inspect(connection).get_table_names(schema)}
    ours = (one.__table__ for one in ddl.business_tables() if one.__module__.startswith("somos."))
    unmade = [table for table in ours if str(table) not in there]
    if unmade:
        schemas = sorted({str(table.schema) for table in unmade})
        write = " e ".join(f'python -m somos.migrations.revise {schema} "Add ..."' for schema in schemas)
        raise Unmade(f"nenhuma revisão cria {', '.join(map(str, unmade))}; escreva-a: {write}")


def _limit(app_url: str) -> None:
    """How long a statement of the application may take, and wait for a lock: by its own role, as the owner of the
    tables may not set it. The owner, who migrates, waits as long as it takes; reports ask for more (`patience`)."""
    engine = engine_for(app_url, pool_size=1)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"alter role current_user set statement_timeout = '{STATEMENT}'"))
            connection.execute(text(f"alter role current_user set lock_timeout = '{LOCK_WAIT}'"))
    finally:
        engine.dispose()


def seed(app_url: str) -> None:
    """What each module starts with (`actions.seed.install`); installing twice changes nothing."""
    engine = engine_for(app_url, pool_size=1)
    try:
        with transaction(engine, Acting(SYSTEM, "migrate")) as db:
            for file in sorted(MODULES.glob("*/actions/seed.py")):
                import_module(f"somos.modules.{file.parts[-3]}.actions.seed").install(db)
    finally:
        engine.dispose()


def configuration(engine: Engine) -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(locations()))
    config.attributes["engine"] = engine
    return config


def locations() -> list[str]:
    """One folder of revisions per schema."""
    return [str(folder) for folder in sorted((HERE / "versions").iterdir()) if folder.is_dir()]


def _make_schemas(engine: Engine) -> None:
    with engine.begin() as connection:
        for schema in sorted({table.schema for table in Root.metadata.tables.values() if table.schema}):
            connection.execute(text(f"create schema if not exists {schema}"))
