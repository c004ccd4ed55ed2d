"""Three hundred chains of two steps, a process for every unit, the worker and the relay, and all of them dying."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
from sqlalchemy import Engine, insert, text
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from somos.local.addresses import free_port
from somos.local.processes import wait_for
from somos.local.supervisor import Part, Supervisor
from somos.mesh import outbox
from somos.mesh.database import engine_for
from somos.mesh.ids import uuid7
from somos.mesh.records import Outbox
from somos.settings import ROOT, Settings
from tests.chaos.monkey import Blow, Monkey, living, plan
from tests.conftest import empty
from tests.harness.engines import answers

CHAINS, KILLS, PATIENCE_S = 300, 12, 90
UNITS = ("on_link_wanted", "on_link_forged")
QUICK = [0.05]

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]


@pytest.fixture
def links(engine: Engine, database_urls: tuple[str, str]) -> Iterator[Engine]:
    """The database with a table for what the steps write; nothing in it forbids a line twice."""
    owner = engine_for(database_urls[1], pool_size=1)
    with owner.begin() as connection:
        connection.execute(text("create table mesh.chaos_links (chain int, step int, said text)"))
        connection.execute(text("grant all on mesh.chaos_links to somos_app"))
    yield engine
    with owner.begin() as connection:
        connection.execute(text("drop table mesh.chaos_links"))
    owner.dispose()
    empty(database_urls[1])


class Chain:
    """The parts of a small mesh under a supervisor, and the gateway between them."""

    def __init__(self, folder: Path, settings: Settings, engine: Engine) -> None:
        self.folder, self.engine = folder, engine
        self.book = folder / "book"
        self.book.touch()
        self._ports = {name: free_port() for name in UNITS}
        self._http = urllib3.PoolManager(maxsize=16, retries=False)
        self._gateway = make_server("127.0.0.1", 0, Request.application(self._pass_on), threaded=True)
        self._environment = {
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "GATEWAY_URL": f"http://127.0.0.1:{self._gateway.server_port}",
            "SOMOS_MESH_SECRET": settings.mesh_secret,
            "ROUTES_FILE": str(folder / "routes.json"),
            "SOMOS_STACK": "1",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
        }
        subprocess.run(self._chain("routes", str(folder / "routes.json")), env=self._environment, check=True)

    @staticmethod
    def _chain(*words: str) -> list[str]:
        return [sys.executable, "-m", "tests.chaos.chain", *words]

    def _pass_on(self, request: Request) -> Response:
        """What a gateway does: the function's answer, or 502 when its process is gone."""
        name = request.path.removeprefix("/function/chain-").replace("-", "_")
        url = f"http://127.0.0.1:{self._ports[name]}/"
        try:
            answer = self._http.request("POST", url, body=request.get_data(), headers=dict(request.headers))
        except urllib3.exceptions.HTTPError as error:
            return Response(str(error), 502)
        return Response(answer.data, answer.status)

    def parts(self) -> list[Part]:
        def unit(name: str) -> Part:
            words = self._chain("unit", name, str(self._ports[name]), str(self.book))
            ready = lambda _pid: answers(self._ports[name])  # noqa: E731
            return Part(name, lambda: words, ready, environment=self._environment)

        def beside(name: str) -> Part:
            return Part(name, lambda: [sys.executable, "-m", "somos.cli", name], environment=self._environment)

        return [*(unit(name) for name in UNITS), beside("worker"), beside("relay")]

    @contextmanager
    def running(self) -> Iterator["Chain"]:
        """Keep the parts alive until the block, which runs beside, comes to its end."""
        serving = threading.Thread(target=self._gateway.serve_forever, daemon=True)
        serving.start()
        try:
            yield self
        finally:
            self._gateway.shutdown()
            self._gateway.server_close()
            serving.join()
            self._http.clear()

    def kill(self, blow: Blow, monkey: Monkey) -> None:
        """As soon as the part lives; it may have been killed a moment ago."""
        if monkey.until(lambda: living(self.folder, blow.target) is not None) and (
            victim := living(self.folder, blow.target)
        ):
            victim.send(signal.SIGKILL)

    def want(self, count: int) -> None:
        """State that so many chains are to be forged."""
        cause = outbox.Cause(uuid7(), None, None, "test")
        rows = [outbox.row("on_link_wanted.link_wanted", {"chain": chain}, cause) for chain in range(count)]
        with self.engine.begin() as connection:
            connection.execute(insert(Outbox), rows)

    def forged(self) -> int:
        """How many links there are."""
        with self.engine.begin() as connection:
            return int(connection.execute(text("select count(*) from mesh.chaos_links")).scalar_one())

    def at_rest(self) -> bool:
        left = "select count(*) from mesh.deliveries where state = 'due'"
        with self.engine.begin() as connection:
            return self.forged() >= 2 * CHAINS and connection.execute(text(left)).scalar_one() == 0

    def look(self, sql: str) -> list[tuple[object, ...]]:
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]


def test_every_chain_is_forged_once_whoever_dies(links: Engine, settings: Settings, tmp_path: Path, seed: int) -> None:
    chain = Chain(tmp_path, settings, links)
    monkey = Monkey(plan(seed, [*UNITS, "worker", "relay"], KILLS, 2 * CHAINS), chain.kill, chain.forged)
    supervisor = Supervisor(chain.parts(), tmp_path, backoff=QUICK)
    ended: list[bool] = []

    def forge() -> None:
        chain.want(CHAINS)
        with monkey:
            ended.append(wait_for(lambda: monkey.done and chain.at_rest(), PATIENCE_S, every=0.1))

    with chain.running(), supervisor:
        forging = threading.Thread(target=forge)
        forging.start()
        supervisor.run(lambda: 0 if ended else None)
        forging.join()

    deliveries = chain.look("select function, state, count(*), max(attempts) from mesh.deliveries group by 1, 2")
    assert ended == [True], deliveries
    assert len(monkey.struck) == KILLS
    assert sorted(chain.look("select chain, step from mesh.chaos_links")) == [
        (number, step) for number in range(CHAINS) for step in (1, 2)
    ]
    assert {row[1] for row in deliveries} == {"done"}

    lines = [line.split() for line in chain.book.read_text().splitlines()]
    stamps = Counter(int(number) for kind, number, _ in lines if kind == "stamp")
    assert max(stamps.values()) == 1  # what takes no key is never repeated
    said = dict(chain.look("select chain, said from mesh.chaos_links where step = 1"))
    parked = {number for number, words in said.items() if words == "parked"}
    assert set(stamps) >= set(range(CHAINS)) - parked  # who says it is stamped, is
    assert {row[0] for row in chain.look("select state from mesh.effects")} <= {"done", "parked"}
    keys = {(number, key) for kind, number, key in lines if kind == "post"}
    assert len(keys) == CHAINS  # what takes a key may be repeated, under that key only
    print(f"parked: {len(parked)}, of which left: {len(parked & set(stamps))}; posts: {len(lines) - len(stamps)}")
