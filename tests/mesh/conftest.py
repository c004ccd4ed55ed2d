"""The mesh with toy functions only."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from somos.mesh.database import engine_for
from somos.mesh.declare import registry
from somos.mesh.routes import Routes
from somos.mesh.runtime import Runtime
from somos.policy.tokens import TokenSigner
from somos.settings import Settings
from tests.conftest import _with_clock, empty
from tests.harness.mesh import Mesh
from tests.mesh.server import Server
from tests.mesh.toys import (  # noqa: F401  (declare themselves)
    every_minute,
    notes,
    on_note_counted,
    on_note_filed,
    on_note_written,
)
from tests.mesh.toys.outside import ToyPostman, ToyWiring


@pytest.fixture(scope="session")
def toy_tables(database_urls: tuple[str, str]) -> None:
    made = engine_for(database_urls[1], pool_size=1)
    with made.begin() as connection:
        connection.execute(text("create table mesh.toy_notes (id uuid primary key, text text, counted int default 0)"))
        connection.execute(text("create table mesh.toy_receipts (receipt text)"))
        connection.execute(text("grant all on mesh.toy_notes, mesh.toy_receipts to somos_app"))
    made.dispose()


@pytest.fixture
def wiring() -> ToyWiring:
    return ToyWiring()


@pytest.fixture
def postman(wiring: ToyWiring) -> ToyPostman:
    return wiring.postman


@pytest.fixture
def toys(
    engine: Engine, settings: Settings, keys: tuple[str, str], toy_tables: None, wiring: ToyWiring, today: datetime
) -> Iterator[Mesh]:
    """Toy functions over real commits."""
    functions = {name: function for name, function in registry.items() if name.startswith("toys-")}
    runtime = Runtime(settings, engine=engine, routes=Routes.of(functions.values()))
    runtime.__dict__["wiring"] = wiring
    yield from _with_clock(Mesh(runtime, functions, TokenSigner(keys[0]), time=today))
    empty(settings.database_owner_url)
    with engine.begin() as connection:
        connection.execute(text("delete from mesh.toy_notes"))
        connection.execute(text("delete from mesh.toy_receipts"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A PostgreSQL of this test's own, which may die."""
    made = Server(tmp_path / "postgres")
    yield made
    made.stop()


@pytest.fixture
def pool(server: Server) -> Iterator[Engine]:
    """Three connections to it at most."""
    made = engine_for(server.url, pool_size=3)
    yield made
    made.dispose()
