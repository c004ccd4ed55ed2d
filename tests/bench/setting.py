"""What every measurement stands on: real servers, migrated tables, a hundred thousand deals, processes that end."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, text

from somos.local.processes import dying_with_us
from somos.mesh.clock import now
from somos.mesh.database import engine_for
from somos.mesh.ids import uuid7
from somos.migrations import migrate
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role
from somos.policy.tokens import TokenSigner, new_keypair
from somos.settings import ROOT
from tests.harness.engines import Postgres, Valkey, start_postgres, start_valkey

DEALS = 100_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Setting:
    """One run's servers; made on first use, gone with `close`."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="somos-bench-")))
    keys: tuple[str, str] = field(default_factory=new_keypair)
    driver: str = "pg8000"

    @cached_property
    def _postgres(self) -> Postgres:
        server = start_postgres(self.folder / "postgres", durable=True)
        migrate(server.owner_url, server.url)
        return server

    @cached_property
    def _valkey(self) -> Valkey:
        return start_valkey(self.folder / "valkey")

    @property
    def database(self) -> str:
        """The application's address of a migrated database."""
        return self._postgres.url

    @property
    def owner(self) -> str:
        return self._postgres.owner_url

    @property
    def postgres_pid(self) -> int:
        return self._postgres.process.pid

    @property
    def redis(self) -> str:
        return self._valkey.url

    @cached_property
    def seller(self) -> Principal:
        return Principal(uuid7(), Role.Comercial, Kind.user, "Vendas", "bench")

    def token(self) -> str:
        return TokenSigner(self.keys[0]).access(self.seller, now())

    @cached_property
    def deals(self) -> list[UUID]:
        """Some ids of one seller's deals; a tenth of `DEALS` is theirs."""
        with self.as_owner() as db:
            # Their audit trail would take most of a minute, and nobody reads it here.
            db.execute(text("alter table crm.deals disable trigger somos_audit"))
            ids = seed_deals(db, self.seller.id)
            db.execute(text("alter table crm.deals enable trigger somos_audit"))
        with self.as_owner(autocommit=True) as db:
            db.execute(text("vacuum analyze"))
        return ids

    @contextmanager
    def as_owner(self, autocommit: bool = False) -> Iterator[Connection]:
        engine = engine_for(self.owner, pool_size=1)
        try:
            with engine.connect() as db:
                if autocommit:
                    yield db.execution_options(isolation_level="AUTOCOMMIT")
                else:
                    with db.begin():
                        db.execute(text("select set_config('somos.role', 'system', true)"))
                        yield db
        finally:
            engine.dispose()

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def environment(self, **more: str) -> dict[str, str]:
        """What a process of ours or a peer's is told. Both keep their bytecode, as an image does."""
        return {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
            "SOMOS_STACK": "1",
            "DATABASE_URL": self.database.replace("pg8000", self.driver),
            "DATABASE_OWNER_URL": self.owner,
            "REDIS_URL": self.redis,
            "SOMOS_JWT_PRIVATE_KEY": self.keys[0],
            "SOMOS_JWT_PUBLIC_KEY": self.keys[1],
            "SOMOS_MESH_SECRET": "bench",
            "SOMOS_SUPPRESSION_KEY": "bench",
            "SOMOS_LOG_LEVEL": "WARNING",
            **more,
        }

    def close(self) -> None:
        for engine in ("_postgres", "_valkey"):
            if engine in self.__dict__:
                self.__dict__[engine].stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def seed_deals(db: Connection, seller: UUID) -> list[UUID]:
    pipeline, stage = uuid7(), uuid7()
    db.execute(
        text(
            "insert into crm.pipelines (id, code, name, position, active, version) "
            "values (:id, 'bench', 'Bench', 0, true, 1)"
        ),
        {"id": pipeline},
    )
    db.execute(
        text(
            "insert into crm.deal_stages (id, pipeline_id, name, position, probability, required_fields, version) "
            "values (:id, :pipeline, 'Novo', 0, 10, '[]', 1)"
        ),
        {"id": stage, "pipeline": pipeline},
    )
    db.execute(
        text(
            "insert into crm.deals (id, title, title_key, pipeline_id, stage_id, stage_entered_at, owner_id, "
            "value_cents, probability, state, origin, version) "
            "select gen_random_uuid(), 'Negócio ' || n, 'negocio ' || n, :pipeline, :stage, now(), "
            "case when mod(n, 10) = 0 then cast(:seller as uuid) else gen_random_uuid() end, "
            "n, 10, 'open', 'manual', 1 "
            "from generate_series(1, :deals) n"
        ),
        {"pipeline": pipeline, "stage": stage, "seller": seller, "deals": DEALS},
    )
    found = db.execute(text("select id from crm.deals where owner_id = :seller limit 500"), {"seller": seller})
    return list(found.scalars())


@dataclass
class Process:
    """A child in a group of its own, which ends with us; it may be killed and started again."""

    command: list[str]
    environment: Mapping[str, str]
    log: Path
    checkout: Path = ROOT
    child: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def ended(self) -> bool:
        return self.child.poll() is not None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.child = subprocess.Popen(
                dying_with_us(self.command, signal.SIGTERM),
                env=dict(self.environment),
                stdout=out,
                stderr=out,
                cwd=self.checkout,
                start_new_session=True,
            )

    def kill(self) -> None:
        """The way a machine kills: the whole group, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def stop(self) -> None:
        if not self.ended:
            self.child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(15)
        self.kill()


@contextmanager
def process(command: list[str], environment: Mapping[str, str], log: Path, checkout: Path = ROOT) -> Iterator[Process]:
    """A process while the block runs."""
    running = Process(command, environment, log, checkout)
    try:
        yield running
    finally:
        running.stop()


def answers(port: int, path: str, running: Process, within: float = 60.0) -> None:
    """Wait for the first 200. Raises RuntimeError when the child ends before."""
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        if running.ended:
            raise RuntimeError(f"{running.command} ended before it answered; see {running.log}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.002)
    raise RuntimeError(f"nothing answered on {port}{path} within {within:.0f} s")


def until(done: Callable[[], bool], seconds: float, otherwise: str, pause: float = 0.005) -> float:
    """Wait for something to be so; how long it took. Raises RuntimeError saying what did not happen."""
    begun = time.monotonic()
    while not done():
        if time.monotonic() - begun > seconds:
            raise RuntimeError(f"{otherwise} within {seconds:.0f} s")
        time.sleep(pause)
    return time.monotonic() - begun


def pss_mib(*pids: int) -> float:
    """Proportional memory of processes and all their children."""
    total = 0
    for member in {found for pid in pids for found in family(pid)}:
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in children for found in family(int(child)))]


PYTHON = sys.executable
