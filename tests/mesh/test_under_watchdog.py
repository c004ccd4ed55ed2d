"""A unit as OpenFaaS runs it: behind of-watchdog, told by it to end, within the memory that stack.yml gives it."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from somos.local.addresses import free_port
from somos.local.processes import wait_for
from somos.mesh import bodies
from somos.mesh.database import engine_for
from somos.settings import ROOT, Settings
from tests.contract.test_template import environment
from tests.harness.mesh import Mesh
from tests.harness.units import CLOCK, Clock, variables

pytestmark = [pytest.mark.committed, pytest.mark.timeout(120)]

FUNCTIONS = "auth-login,crm-imports,crm-tags,sdr-hook-whatsapp"
MIB = 1 << 20
INTERVAL_S = 2
Headers = dict[str, str]


class Unit:
    """One unit behind its watchdog."""

    def __init__(self, settings: Settings, folder: Path, clock: Path) -> None:
        self.port, self._upstream, self.folder = free_port(), free_port(), folder
        told = {
            **os.environ,
            **variables(settings),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
            "SOMOS_FUNCTIONS": FUNCTIONS,
            "THREADS": "4",
            "POOL_SIZE": "2",
            CLOCK: str(clock),
            **{name: value for name, value in environment().items() if name.startswith("MALLOC_")},
            "TMPDIR": str(folder),
            "port": str(self.port),
            "fprocess": f"{sys.executable} -m tests.harness.unit --port {self._upstream}",
            "upstream_url": f"http://127.0.0.1:{self._upstream}",
            "ready_path": "/_/ready",
            "max_inflight": "16",
            "exec_timeout": "35s",
            "healthcheck_interval": f"{INTERVAL_S}s",
        }
        self._said = (folder / "said").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.harness.watchdog"],
            env=told,
            cwd=ROOT,
            stdout=self._said,
            stderr=self._said,
        )
        assert wait_for(self.is_ready, 60, every=0.05), self.said

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text()

    def is_ready(self) -> bool:
        try:
            return self.ask("GET", "/_/ready")[0] == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None, headers: Headers | None = None) -> tuple[int, Any]:
        """Status, and the answer's JSON when it has one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, json.loads(raw) if raw else None
        finally:
            connection.close()

    def begin(self, path: str, headers: Headers, sent: bytes = b"") -> socket.socket:
        """A request whose body does not go on."""
        begun = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        lines = [f"POST {path} HTTP/1.1", "Host: unit", *(f"{n}: {v}" for n, v in headers.items()), "", ""]
        begun.sendall("\r\n".join(lines).encode() + sent)
        return begun

    def peak_mib(self) -> float:
        """The most that the unit's process ever held, in MiB."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        status = Path(f"/proc/{children[0]}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self._said.close()


@pytest.fixture
def unit(settings: Settings, committed: Mesh, tmp_path: Path) -> Iterator[Unit]:
    shared = tmp_path / "clock"
    shared.write_bytes(struct.pack("d", 0))
    Clock(shared).set(committed.time)
    made = Unit(settings, tmp_path, shared)
    yield made
    made.stop()
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def signed_in(committed: Mesh) -> Headers:
    return {"Authorization": f"Bearer {committed.person('Diretor').token}"}


@pytest.fixture
def together() -> Callable[[Callable[[], None], int], None]:
    def run(work: Callable[[], None], times: int) -> None:
        threads = [threading.Thread(target=work) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return run


def limit_mib() -> int:
    functions = yaml.safe_load((ROOT / "stack.yml").read_text())["functions"]
    return int(functions["auth-login"]["limits"]["memory"].removesuffix("Mi"))


def sheet(size: int) -> bytes:
    """So many bytes of rows, in letters that take the most memory when read."""
    head = b"nome;telefone\n"
    row = ("Empresa 🎬 " + "x" * 2900 + ";(11) 98765-4321\n").encode()
    return head + row * ((size - len(head)) // len(row))


CSV = {"Content-Type": "text/csv"}
JSON = {"Content-Type": "application/json"}


def test_a_body_past_its_limit_is_refused_however_it_is_sent(unit: Unit, signed_in: Headers) -> None:
    sheet = b"nome;telefone\n" + b"x" * (30 * MIB)
    for path, headers, body in (
        ("/api/v1/imports", {**signed_in, **CSV}, sheet),
        ("/api/v1/tags", {**signed_in, **JSON}, b"x" * (2 * MIB)),
        ("/api/v1/auth/login", JSON, b"x" * MIB),
        ("/api/v1/nothing", JSON, b"x" * MIB),
    ):
        status, problem = unit.ask("POST", path, body, headers)
        assert (status, problem and problem["type"]) == (413, "/problems/too-large"), path


def test_many_large_bodies_at_once_leave_the_unit_within_its_memory(
    unit: Unit, signed_in: Headers, together: Callable[[Callable[[], None], int], None]
) -> None:
    def ask(path: str, body: bytes, headers: Headers, times: int) -> set[int]:
        seen: list[int] = []
        together(lambda: seen.append(unit.ask("POST", path, body, headers)[0]), times)
        print(f"\n{path}: {unit.peak_mib():.0f} MiB of {limit_mib()}, {sorted(seen)}")
        return set(seen)

    assert ask("/api/v1/auth/login", b"x" * (19 * MIB), JSON, 16) == {413}
    assert ask("/webhook/whatsapp", b"x" * (19 * MIB), JSON, 16) <= {401, 503}
    assert ask("/api/v1/imports", sheet(bodies.UPLOAD), {**signed_in, **CSV}, 5) <= {201, 503}
    assert unit.ask("GET", "/_/ready")[0] == 200
    assert unit.peak_mib() < limit_mib()


def test_faas_cli_invoke_reaches_the_one_address_that_can_be_meant(unit: Unit, signed_in: Headers) -> None:
    status, problem = unit.ask("POST", "/", b"{}", {**signed_in, **JSON})
    assert (status, problem["type"]) == (404, "/problems/not-found")
    assert "POST /api/v1/auth/login" in problem["detail"]
    status, problem = unit.ask("POST", "/", b"{}", {**signed_in, **JSON, "Ce-Function": "auth-login"})
    assert (status, problem["type"]) == (422, "/problems/invalid")


def test_slow_bodies_freeze_neither_the_unit_nor_its_readiness(unit: Unit, signed_in: Headers) -> None:
    slow = [unit.begin("/api/v1/tags", {**signed_in, **JSON, "Content-Length": "100"}, b"{") for _ in range(12)]
    assert unit.ask("GET", "/_/ready")[0] == 200
    assert unit.ask("GET", "/api/v1/tags", headers=signed_in)[0] == 200
    for one in slow:
        one.close()


def test_readiness_waits_behind_no_function(unit: Unit, signed_in: Headers, settings: Settings) -> None:
    owner = engine_for(settings.database_owner_url, pool_size=1)
    statuses: list[int] = []
    asking = [
        threading.Thread(target=lambda: statuses.append(unit.ask("GET", "/api/v1/tags", headers=signed_in)[0]))
        for _ in range(10)
    ]
    waits = "select count(*) from pg_locks where not granted and relation = 'crm.tags'::regclass"
    with owner.begin() as connection:
        connection.execute(text("lock table crm.tags in access exclusive mode"))
        for one in asking:
            one.start()
        assert wait_for(lambda: connection.execute(text(waits)).scalar_one() >= 4, 20)
        assert unit.ask("GET", "/_/ready")[0] == 200
    owner.dispose()
    for one in asking:
        one.join()
    assert statuses == [200] * 10


def test_an_upload_that_breaks_off_is_not_taken_for_a_whole_one(
    unit: Unit, signed_in: Headers, committed: Mesh
) -> None:
    begun = unit.begin("/api/v1/imports", {**signed_in, **CSV, "Content-Length": "1000"}, b"nome\nEmpresa Um\nEmpr")
    begun.shutdown(socket.SHUT_RDWR)
    begun.close()
    whole = unit.ask("POST", "/api/v1/imports", b"nome\nEmpresa Um\n", {**signed_in, **CSV})
    assert whole[0] == 201, whole
    assert committed.one("select count(*) from crm.imports") == 1


def test_what_comes_while_the_watchdog_still_accepts_is_answered(unit: Unit, signed_in: Headers) -> None:
    statuses: list[int] = []
    unit.process.terminate()
    with contextlib.suppress(OSError):  # the watchdog takes nothing more
        while True:
            statuses.append(unit.ask("GET", "/api/v1/tags", headers=signed_in)[0])
    assert set(statuses) == {200}
    assert len(statuses) > 10
    assert unit.process.wait(20) == 0


def test_what_is_under_way_when_the_unit_ends_is_finished(
    unit: Unit, signed_in: Headers, settings: Settings, committed: Mesh
) -> None:
    owner = engine_for(settings.database_owner_url, pool_size=1)
    answers: list[tuple[int, Any]] = []
    sent = {**signed_in, **JSON}
    asking = threading.Thread(
        target=lambda: answers.append(unit.ask("POST", "/api/v1/tags", b'{"name": "Em voo"}', sent))
    )
    waits = "select count(*) from pg_locks where not granted and relation = 'crm.tags'::regclass"
    with owner.begin() as connection:
        connection.execute(text("lock table crm.tags in access exclusive mode"))
        asking.start()
        assert wait_for(lambda: connection.execute(text(waits)).scalar_one() == 1, 20)
        unit.process.terminate()
        threading.Event().wait(INTERVAL_S + 2)  # past all that the watchdog and the unit wait for by themselves
        assert answers == []
    owner.dispose()
    asking.join()
    assert answers[0][0] == 201, (answers, unit.said)
    assert unit.process.wait(20) == 0
    assert committed.one("select count(*) from crm.tags") == 1
