"""Connections that nobody uses are given back, and nobody notices."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from somos.local.processes import wait_for
from somos.mesh import ddl
from somos.mesh.database import Acting, engine_for, transaction
from somos.migrations import migrate
from somos.policy.principals import SYSTEM
from tests.deploy.clean_server import fresh_database
from tests.harness.engines import Postgres, start_postgres


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    made = start_postgres(tmp_path / "postgres", durable=False)
    yield made
    made.stop()


def _ask(engine: Engine) -> int:
    with transaction(engine, Acting(SYSTEM, "test")) as db:
        return int(db.execute(text("select 1")).scalar_one())


def test_an_idle_process_holds_no_connection_and_its_next_question_is_answered(server: Postgres) -> None:
    owner = engine_for(server.owner_url, pool_size=1)
    with owner.connect() as watching:
        watching.execute(text("alter database somos set idle_session_timeout = '100ms'"))
        watching.commit()

        def held() -> int:
            found: int = watching.execute(
                text("select count(*) from pg_stat_activity where usename = 'somos_app'")
            ).scalar_one()
            watching.rollback()
            return found

        processes = [engine_for(server.url, pool_size=2) for _ in range(10)]
        for engine in processes:
            with engine.connect(), engine.connect():
                pass
        assert wait_for(lambda: held() == 0, 10)
        assert [_ask(engine) for engine in processes] == [1] * 10
        for engine in processes:
            engine.dispose()
    owner.dispose()


def test_a_migration_says_when_the_database_gives_up_idle_connections(database_urls: tuple[str, str]) -> None:
    with fresh_database(database_urls[1], "somos_idle") as owner_url:
        migrate(owner_url, database_urls[0])
        engine = engine_for(owner_url, pool_size=1)
        with engine.connect() as connection:
            assert connection.execute(text("show idle_session_timeout")).scalar_one() == ddl.IDLE
        engine.dispose()
