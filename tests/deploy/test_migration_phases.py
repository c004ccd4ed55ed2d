"""What takes something away waits until the code that used it is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from somos.mesh.database import engine_for
from somos.migrations import configuration, phases
from tests.deploy.clean_server import fresh_database

REVISION = """
from alembic import op
revision, down_revision, branch_labels, depends_on = {name!r}, {after!r}, {label!r}, None
{contract}
def upgrade(): op.execute({sql!r})
def downgrade(): pass
"""


@pytest.fixture
def connection(database_urls: tuple[str, str]) -> Iterator[Connection]:
    with fresh_database(database_urls[1], "somos_phases") as owner_url:
        engine = engine_for(owner_url, pool_size=2)
        with engine.connect() as connection:
            connection.execute(text("create schema phases"))
            connection.execute(text("create schema mesh"))
            connection.commit()
            yield connection
        engine.dispose()


@pytest.fixture
def config(connection: Connection, tmp_path: Path) -> Config:
    """Two branches: one expands twice and then contracts, one only expands."""
    _revision(tmp_path, "a1", None, "create table phases.a (old int)", "a")
    _revision(tmp_path, "a2", "a1", "alter table phases.a add new int")
    _revision(tmp_path, "a3", "a2", "alter table phases.a drop old", contract=True)
    _revision(tmp_path, "b1", None, "create table phases.b (x int)", "b")
    engine: Engine = connection.engine
    made = configuration(engine)
    made.set_main_option("version_locations", str(tmp_path))
    return made


def _revision(
    folder: Path, name: str, after: str | None, sql: str, label: str | None = None, contract: bool = False
) -> None:
    said = "contract = True" if contract else ""
    (folder / f"{name}.py").write_text(REVISION.format(name=name, after=after, label=label, sql=sql, contract=said))


def test_an_expansion_stops_before_what_takes_something_away(connection: Connection, config: Config) -> None:
    assert phases.contracting(connection, config) == ["a3"]
    assert phases.expanding(connection, config) == ["a2", "b1"]
    connection.rollback()
    for target in phases.expanding(connection, config):
        command.upgrade(config, target)
    connection.rollback()
    assert _columns(connection) == {"old", "new"}
    assert phases.expanding(connection, config) == []


def test_after_the_contraction_nothing_waits(connection: Connection, config: Config) -> None:
    command.upgrade(config, "heads")
    assert _columns(connection) == {"new"}
    assert phases.contracting(connection, config) == []


def _columns(connection: Connection) -> set[str]:
    found = connection.execute(
        text("select column_name from information_schema.columns where table_schema = 'phases' and table_name = 'a'")
    )
    return set(found.scalars())
