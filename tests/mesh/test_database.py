"""A PostgreSQL that dies and comes back is met without ceremony."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from somos.local.processes import wait_for
from somos.mesh.database import Acting, transaction
from somos.policy.principals import SYSTEM
from tests.mesh.server import Server


def _ask(pool: Engine) -> int:
    with transaction(pool, Acting(SYSTEM, "test")) as db:
        return int(db.execute(text("select 1")).scalar_one())


def test_idle_connections_survive_a_server_that_died_and_came_back(server: Server, pool: Engine) -> None:
    with pool.connect(), pool.connect(), pool.connect():
        pass  # three are open and idle now
    server.kill()
    server.start()
    assert [_ask(pool) for _ in range(4)] == [1, 1, 1, 1]


def test_a_call_that_the_server_dies_under_fails_as_a_database_error_and_the_next_one_works(
    server: Server, pool: Engine
) -> None:
    def ask_a_dying_server() -> None:
        with transaction(pool, Acting(SYSTEM, "test")) as db:
            backend = db.execute(text("select pg_backend_pid()")).scalar_one()
            server.kill()
            # The backend ends when it notices that its postmaster did.
            assert wait_for(lambda: not Path(f"/proc/{backend}/stat").exists(), 10)
            db.execute(text("select 1"))

    with pytest.raises(DBAPIError):
        ask_a_dying_server()
    server.start()
    assert _ask(pool) == 1


def test_while_it_is_away_asking_fails_as_a_database_error(server: Server, pool: Engine) -> None:
    _ask(pool)
    server.kill()
    for _ in range(2):
        with pytest.raises(DBAPIError):
            _ask(pool)
    server.start()
    assert _ask(pool) == 1
