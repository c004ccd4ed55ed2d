"""Many small processes through a real PgBouncer in transaction mode: row security and the story hold."""

import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from string import Template

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from somos.local.addresses import free_port
from somos.mesh.database import engine_for
from somos.mesh.loader import load
from somos.mesh.routes import Routes
from somos.mesh.runtime import Runtime
from somos.migrations import migrate, seed
from somos.policy.tokens import TokenSigner
from somos.settings import ROOT, Settings
from tests.conftest import _with_clock, empty
from tests.deploy.clean_server import fresh_database, within
from tests.deploy.ports import until_open
from tests.flows.office import opened
from tests.harness.mesh import Mesh
from tests.harness.units import running_units
from tests.harness.world import World

SERVER_CONNECTIONS = 3


@pytest.fixture(scope="module")
def owner(database_urls: tuple[str, str]) -> Iterator[str]:
    """The owner's address of a database that only the pooler's clients use."""
    with fresh_database(database_urls[1], "somos_pooled") as made:
        migrate(made, database_urls[0])
        yield made


@pytest.fixture(scope="module")
def bouncer(needs: Callable[[str, str], str], owner: str, database_urls: tuple[str, str]) -> Iterator[str]:
    """The application's address through the pooler."""
    program = needs("pgbouncer", "pgbouncer")
    url = make_url(within(database_urls[0], "somos_pooled"))
    folder = Path(tempfile.mkdtemp(prefix="somos-bouncer-"))
    folder.chmod(0o755)
    users = folder / "users.txt"
    users.write_text(f'"{url.username}" "{url.password}"\n')
    port = free_port()
    values = {
        "POSTGRES_HOST": url.host or "",
        "POSTGRES_PORT": str(url.port),
        "POSTGRES_DATABASE": url.database or "",
        "PGBOUNCER_ADDRESS": "127.0.0.1",
        "PGBOUNCER_PORT": str(port),
        "PGBOUNCER_POOL": str(SERVER_CONNECTIONS),
        "PGBOUNCER_USERS": str(users),
        "PGBOUNCER_LOG": str(folder / "log"),
        "PGBOUNCER_PID": str(folder / "pid"),
    }
    template = (ROOT / "infra" / "pgbouncer" / "pgbouncer.ini.template").read_text()
    (folder / "pgbouncer.ini").write_text(Template(template).substitute(values))
    for file in folder.iterdir():
        shutil.chown(file, "nobody")
    shutil.chown(folder, "nobody")
    child = subprocess.Popen(
        [program, "-q", "-u", "nobody", str(folder / "pgbouncer.ini")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until_open(port, child)
    yield url.set(host="127.0.0.1", port=port, database="somos").render_as_string(hide_password=False)
    child.send_signal(signal.SIGINT)
    child.wait(10)
    shutil.rmtree(folder)


@pytest.fixture
def engines(bouncer: str) -> Iterator[list[Engine]]:
    """One small pool per process of a mesh."""
    made = [engine_for(bouncer, pool_size=1) for _ in range(20)]
    yield made
    for engine in made:
        engine.dispose()


@pytest.fixture
def mesh(bouncer: str, owner: str, settings: Settings, keys: tuple[str, str]) -> Iterator[Mesh]:
    functions = load()
    engine = engine_for(bouncer, pool_size=2)
    pooled = replace(settings, database_url=bouncer, database_owner_url=owner)
    runtime = Runtime(pooled, engine=engine, routes=Routes.of(functions.values()))
    yield from _with_clock(Mesh(runtime, functions, TokenSigner(keys[0])))
    engine.dispose()
    empty(owner)


def test_more_processes_than_server_connections_all_get_their_turn(engines: list[Engine]) -> None:
    seen: list[int] = []

    def work(engine: Engine) -> None:
        for _ in range(10):
            with engine.begin() as connection:
                seen.append(connection.execute(text("select pg_backend_pid()")).scalar_one())

    threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 200
    assert len(set(seen)) <= SERVER_CONNECTIONS + 2


def test_who_acts_never_leaks_from_one_transaction_into_the_next(mesh: Mesh, engines: list[Engine]) -> None:
    diretor = mesh.person("Diretor")
    mesh.call("POST /api/v1/tags", {"name": "segredo", "color": "#102030"}, as_=diretor).ok()
    assert mesh.call("GET /api/v1/tags", as_=diretor).ok()["items"]
    for engine in engines:
        with engine.begin() as connection:
            assert connection.execute(text("select coalesce(current_setting('somos.role', true), '')")).scalar() == ""
            assert connection.execute(text("select count(*) from crm.tags")).scalar_one() == 0


def test_requests_of_two_people_side_by_side_see_only_their_own(mesh: Mesh) -> None:
    seed(mesh.runtime.settings.database_url)
    people = [mesh.person("Comercial", f"Pessoa {n}") for n in range(4)]
    for n, person in enumerate(people):
        mesh.call("POST /api/v1/deals", {"title": f"Negócio {n}"}, as_=person).ok()
    wrong: list[str] = []

    def look(n: int) -> None:
        for _ in range(10):
            items = mesh.call("GET /api/v1/deals", as_=people[n]).ok()["items"]
            if [item["title"] for item in items] != [f"Negócio {n}"]:
                wrong.append(str(items))

    threads = [threading.Thread(target=look, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.drill
def test_the_whole_story_by_a_process_per_function_needs_few_server_connections(
    mesh: Mesh, owner: str, outside: World
) -> None:
    with running_units("function", mesh.runtime.settings) as (units, door), _watched(owner) as counts:
        mesh.app = door
        with opened(mesh, outside) as office:
            office.search(limit=4)
            office.campaign(office.leads(state="qualified"))
            office.approve()
            office.settle()
            sent = [message for message in office.messages() if message["sent_at"]]
            assert len(office.received()) == len(sent) > 0
            assert len(office.all("/api/v1/deals")) == office.answers().get("interested", 0) > 0
    assert 0 < max(counts) <= SERVER_CONNECTIONS + 2 < len(units.units)


@contextmanager
def _watched(owner: str) -> Iterator[list[int]]:
    """How many server connections the application had, again and again until the end."""
    counts: list[int] = []
    over = threading.Event()
    engine = engine_for(owner, pool_size=1)
    asked = text("select count(*) from pg_stat_activity where datname = current_database() and usename <> current_user")

    def look() -> None:
        while not over.wait(0.02):
            with engine.connect() as connection:
                counts.append(connection.execute(asked).scalar_one())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield counts
    finally:
        over.set()
        thread.join()
        engine.dispose()
