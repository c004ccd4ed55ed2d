"""Real servers for a test run, started once by the process that starts the run; one database per test process."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.engine import make_url

from somos.mesh.database import engine_for
from somos.migrations import migrate
from tests.harness.engines import Started, start_postgres, start_valkey

OWNER, APP, REDIS = "TEST_DATABASE_OWNER_URL", "TEST_DATABASE_URL", "TEST_REDIS_URL"
TEMPLATE = "somos_template"
PREFIX = "somos-tests-"
_LOCK = 20_261_123


def start() -> None:
    """Start what the environment does not name already, and name it for the processes that follow."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # runs after the servers' own ends
    if APP not in os.environ:
        postgres = start_postgres(folder / "postgres", durable=False)
        os.environ[APP], os.environ[OWNER] = postgres.url, postgres.owner_url
        atexit.register(postgres.stop)
    if REDIS not in os.environ:
        valkey = start_valkey(folder / "valkey")
        os.environ[REDIS] = valkey.url
        atexit.register(valkey.stop)


def _sweep() -> None:
    """Throw away what killed runs left: a hundred megabytes each, and their servers ended with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        records = [Started.read(folder / part) for part in ("postgres", "valkey")]
        if any(records) and not any(record.process.alive() for record in records if record):
            shutil.rmtree(folder, ignore_errors=True)


def database(name: str) -> tuple[str, str]:
    """A fresh copy of the migrated template; the application's and the owner's addresses."""
    owner, app = os.environ[OWNER], os.environ[APP]
    admin = engine_for(owner, pool_size=1)
    try:
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"select pg_advisory_lock({_LOCK})"))
            known = connection.execute(text("select 1 from pg_database where datname = :n"), {"n": TEMPLATE}).first()
            if known is None:
                connection.execute(text(f"create database {TEMPLATE}"))
                migrate(_named(owner, TEMPLATE), app)
            connection.execute(text(f"drop database if exists {name} with (force)"))
            connection.execute(text(f"create database {name} template {TEMPLATE}"))
            connection.execute(text(f"select pg_advisory_unlock({_LOCK})"))
    finally:
        admin.dispose()
    return _named(app, name), _named(owner, name)


def redis_url(number: int) -> str:
    """A database of the server for this process alone."""
    return urlsplit(os.environ[REDIS])._replace(path=f"/{number}").geturl()


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
