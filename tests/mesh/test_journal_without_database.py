"""What the outside answered is not lost because the database is away in that moment."""

import threading
import time

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from somos.mesh import journal
from somos.mesh.database import engine_for
from somos.mesh.ids import uuid7
from somos.mesh.journal import Journal
from somos.mesh.records import Effect
from tests.mesh.server import Server
from tests.mesh.toys.outside import ToyPostman


@pytest.fixture
def server(server: Server) -> Server:
    """A PostgreSQL that may die, with a journal in it."""
    owner = engine_for(server.owner_url, pool_size=1)
    with owner.begin() as connection:
        # As a real server: what is committed outlives a kill.
        connection.execute(text(f"alter database {connection.engine.url.database} set synchronous_commit = on"))
        connection.execute(text("set local synchronous_commit = on"))
        connection.execute(text("create schema mesh"))
        Effect.metadata.create_all(connection, tables=[Effect.__table__])
        app = make_url(server.url).username
        connection.execute(text(f"grant usage on schema mesh to {app}"))
        connection.execute(text(f"grant all on mesh.effects to {app}"))
    owner.dispose()
    return server


def test_an_answer_waits_until_the_database_is_back(server: Server, pool: Engine) -> None:
    postman, answers = ToyPostman(), list[str]()
    gone = threading.Event()

    def go_away() -> None:
        server.kill()
        gone.set()

    def call() -> None:
        journal = Journal(pool, uuid7(), timeout=60)
        answers.append(journal.once("shout", postman.shout, {"note": "a"}))

    postman.meanwhile = go_away
    calling = threading.Thread(target=call)
    calling.start()
    assert gone.wait(20)
    server.start()
    calling.join()
    assert answers == ["recibo-a"]
    with pool.connect() as connection:
        assert connection.execute(text("select state, outcome from mesh.effects")).one() == ("done", "recibo-a")


@pytest.mark.parametrize(("timeout", "away_s"), [(1, 30.0), (60, 1.0)], ids=["the step's time", "ours"])
def test_a_database_that_stays_away_is_not_waited_for_longer_than_either_patience(
    server: Server, pool: Engine, monkeypatch: pytest.MonkeyPatch, timeout: int, away_s: float
) -> None:
    monkeypatch.setattr(journal, "LOOK_S", 0.01)
    monkeypatch.setattr(journal, "AWAY_S", away_s)
    postman = ToyPostman()
    postman.meanwhile = server.kill
    begun = time.monotonic()
    with pytest.raises(journal.DBAPIError):
        Journal(pool, uuid7(), timeout=timeout).once("shout", postman.shout, {"note": "a"})
    assert time.monotonic() - begun < 20
    server.start()
