"""A PostgreSQL as a new machine has it, with a superuser and nothing else; and a new database on the tests' own."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from somos.local import postgres
from somos.local.addresses import LOOPBACK, free_port
from somos.mesh.database import engine_for
from tests.deploy.ports import until_open

PASSWORD = "da-maquina-nova"


def programs() -> Path:
    """Where pg_dump, pg_restore and psql of the server's own version are."""
    return postgres._postgres_bin()


@contextmanager
def clean_server() -> Iterator[str]:
    """Running until the end; the superuser's address without a database."""
    folder = Path(tempfile.mkdtemp(prefix="somos-clean-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    (folder / "password").write_text(PASSWORD)
    user = postgres._as_whom(programs(), data)
    if user:
        for path in (folder, data, folder / "password"):
            shutil.chown(path, "nobody", "nogroup")
    prefix = ["setpriv", *user] if user else []
    made = [programs() / "initdb", "-D", data, "--username=postgres", "--auth=scram-sha-256", "--no-sync"]
    made += [f"--pwfile={folder / 'password'}", "--encoding=UTF8", "--locale=C"]
    subprocess.run([*prefix, *map(str, made)], check=True, capture_output=True, cwd="/")
    port = free_port()
    settings = [f"--{name}={value}" for name, value in {**postgres._TUNED, **postgres._THROWN_AWAY}.items()]
    child = subprocess.Popen(
        [*prefix, str(programs() / "postgres"), "-D", str(data), f"--port={port}", *settings],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        until_open(port, child)
        yield f"postgresql://postgres:{PASSWORD}@{LOOPBACK}:{port}/postgres"
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(15)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(owner_url: str, name: str) -> Iterator[str]:
    """An empty database beside the one of this address, of the same owner; gone at the end."""
    engine = engine_for(owner_url, pool_size=1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"drop database if exists {name} with (force)"))
        connection.execute(text(f"create database {name}"))
        try:
            yield within(owner_url, name)
        finally:
            connection.execute(text(f"drop database {name} with (force)"))
    engine.dispose()


def within(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
