"""Fixtures that every test may use."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest
import redis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from sqlalchemy import Engine, text

from somos.mesh import clock
from somos.mesh.database import engine_for
from somos.mesh.loader import load
from somos.mesh.routes import Routes
from somos.mesh.runtime import Runtime, use
from somos.mesh.tables import Root
from somos.migrations import load_tables
from somos.policy.tokens import TokenSigner, new_keypair
from somos.settings import ROOT, Settings
from tests.harness import days, services
from tests.harness.mesh import Mesh
from tests.harness.world import World

# What properties prove does not depend on how busy the machine is.
hypothesis.register_profile("somos", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("somos")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--grain",
        choices=["function", "module", "all"],
        default="all",
        help="how stories (tests/flows) place functions: all in the test's process, or units as real processes",
    )

    parser.addoption(
        "--today",
        help="where every test's clock stands, as 2028-02-29 or 2026-12-31T23:30-03:00; without it, on a Monday, and "
        "tests marked any_day run on awkward days too",
    )


def pytest_configure(config: pytest.Config) -> None:
    if today := config.getoption("today"):
        days.choose(today)
    if not hasattr(config, "workerinput"):
        services.start()
        # What machines read of the declarations, for tests that read it too; contradictions are other tests' business.
        subprocess.run([sys.executable, "-m", "somos.cli", "derive", "--built"], cwd=ROOT, capture_output=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("any_day") and not metafunc.config.getoption("today"):
        named = {"a Monday": days.MONDAY, **days.awkward()}
        metafunc.parametrize("today", named.values(), ids=named.keys(), indirect=True)


def pytest_collection_finish() -> None:
    # What is loaded by now stays: Python's garbage collector need not look through it again and again.
    gc.freeze()


@pytest.fixture(scope="session")
def worker_number() -> int:
    """Which of the run's processes this is."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return int(name.removeprefix("gw"))


@pytest.fixture(scope="session")
def database_urls(worker_number: int) -> tuple[str, str]:
    """The application's and the owner's address of this process's own database."""
    return services.database(f"somos_gw{worker_number}")


@pytest.fixture(scope="session")
def engine(database_urls: tuple[str, str]) -> Iterator[Engine]:
    made = engine_for(database_urls[0], pool_size=20, prepared_statements=300)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def redis_url(worker_number: int) -> str:
    return services.redis_url(worker_number % 16)


@pytest.fixture(scope="session")
def keys() -> tuple[str, str]:
    return new_keypair()


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The outside world, simulated, on a port of its own."""
    made = World()
    yield made
    made.stop()


@pytest.fixture
def outside(world: World) -> World:
    """The outside world as new."""
    world.reset()
    return world


@pytest.fixture(scope="session")
def settings(database_urls: tuple[str, str], redis_url: str, keys: tuple[str, str], world: World) -> Settings:
    return Settings(
        database_url=database_urls[0],
        database_owner_url=database_urls[1],
        redis_url=redis_url,
        jwt_private_key=keys[0],
        jwt_public_key=keys[1],
        mesh_secret="malha-de-teste",
        suppression_key="supressao-de-teste",
        bcrypt_cost=4,
        backoff_scale=0,
        outside=world.settings(),
    )


@pytest.fixture(params=[False], ids=["once"])
def twice(request: pytest.FixtureRequest) -> bool:
    """Whether every delivery comes twice; flows override it with both."""
    return bool(request.param)


@pytest.fixture
def today(request: pytest.FixtureRequest) -> datetime:
    """Where the test's clock stands at its begin."""
    moment: datetime = getattr(request, "param", days.chosen())
    return moment


@pytest.fixture
def mesh(engine: Engine, settings: Settings, keys: tuple[str, str], twice: bool, today: datetime) -> Iterator[Mesh]:
    """All functions over one connection whose transaction is rolled back afterwards."""
    functions = load()
    with engine.connect() as connection:
        begun = connection.begin()
        runtime = Runtime(settings, engine=connection, routes=Routes.of(functions.values()))
        yield from _with_clock(Mesh(runtime, functions, TokenSigner(keys[0]), twice, today))
        begun.rollback()


@pytest.fixture
def committed(
    engine: Engine, settings: Settings, keys: tuple[str, str], twice: bool, today: datetime
) -> Iterator[Mesh]:
    """All functions with real commits, for threads and processes; emptied afterwards."""
    functions = load()
    runtime = Runtime(settings, engine=engine, routes=Routes.of(functions.values()))
    yield from _with_clock(Mesh(runtime, functions, TokenSigner(keys[0]), twice, today))
    empty(settings.database_owner_url)


def _with_clock(mesh: Mesh) -> Iterator[Mesh]:
    redis.Redis.from_url(mesh.runtime.settings.redis_url).flushdb()
    before = clock.use(lambda: mesh.time)
    use(mesh.runtime)
    yield mesh
    clock.use(before)


_WRITTEN = text("select name from unnest(cast(:every as text[])) as t(name) where pg_relation_size(name::regclass) > 0")


def empty(owner_url: str) -> None:
    """Forget every row, as the owner: the application itself may not. Tables that hold none are left alone."""
    load_tables()
    every = [table.fullname for table in Root.metadata.tables.values() if table.schema]
    made = engine_for(owner_url, pool_size=1)
    with made.begin() as connection:
        written = connection.scalars(_WRITTEN, {"every": every}).all()
        if written:
            connection.execute(text(f"truncate {', '.join(written)} restart identity cascade"))
    made.dispose()
