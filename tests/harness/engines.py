"""Real PostgreSQL and a real Redis-compatible server for tests and bench, from the wheels that `somos up` uses.

`start_postgres(folder)` and `start_valkey(folder)` give a running server with its addresses. A server of the
same folder whose starter still lives is shared; one whose starter is gone is a leftover and is stopped first,
found by recorded pid and start time, never by name. A server ends with the thread that started it.
"""

import contextlib
import fcntl
import json
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from somos.local import postgres, valkey
from somos.local.addresses import LOOPBACK, free_port, is_free, taken
from somos.local.processes import EngineFailed, Identity, dying_with_us, spawn, stop, wait_for

START_SECONDS = 30.0


class PortTaken(Exception):
    """A port that something else listens on; says who."""


@dataclass(frozen=True)
class Started:
    """What is kept in a server's folder, so that the next start knows what the last one left."""

    pid: int
    started: str
    port: int
    starter_pid: int
    starter_started: str

    @classmethod
    def read(cls, folder: Path) -> "Started | None":
        try:
            return cls(**json.loads((folder / "process.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        (folder / "process.json").write_text(json.dumps(asdict(self)))

    @property
    def process(self) -> Identity:
        return Identity(self.pid, self.started)

    @property
    def leftover(self) -> bool:
        """It lives, and whoever started it does not."""
        return self.process.alive() and not Identity(self.starter_pid, self.starter_started).alive()


@dataclass
class Engine:
    """A running server and how to end it."""

    folder: Path
    process: Identity
    port: int
    gentle: signal.Signals
    child: "subprocess.Popen[bytes] | None" = field(repr=False)
    """None when another living process started it; then it ends with that one."""

    def alive(self) -> bool:
        return (self.child is None or self.child.poll() is None) and self.process.alive()

    def stop(self, grace: float = 10.0) -> None:
        if self.child is not None:
            stop(self.process, self.gentle, grace, self.child)
            (self.folder / "process.json").unlink(missing_ok=True)


@dataclass
class Postgres(Engine):
    url: str = field(default="", repr=False)
    """For the application: a role that row-level security binds."""
    owner_url: str = field(default="", repr=False)
    """For migrations: owns the database and may create others."""


@dataclass
class Valkey(Engine):
    url: str = field(default="", repr=False)


def answers(port: int, timeout: float = 0.2) -> bool:
    """Something accepts connections there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=timeout).close()
    except OSError:
        return False
    return True


def start_postgres(folder: Path, durable: bool = True, port: int | None = None) -> Postgres:
    """A running PostgreSQL of this folder. `durable=False` trades the data's safety for speed."""
    folder = folder.resolve()
    secrets, log = folder / "secrets", folder / "postgres.log"

    def command(chosen: int) -> list[str]:
        return dying_with_us(postgres.command(folder, chosen, secrets, log, durable), postgres.GENTLE)

    found = _start(folder, "postgres", postgres.GENTLE, log, port, command, lambda _: partial(postgres.accepts, folder))
    url, owner_url = postgres.addresses(found.port, secrets)
    return Postgres(**vars(found), url=url, owner_url=owner_url)


def start_valkey(folder: Path, port: int | None = None) -> Valkey:
    """A running Valkey of this folder."""
    folder = folder.resolve()
    secrets, log = folder / "secrets", folder / "valkey.log"

    def command(chosen: int) -> list[str]:
        return dying_with_us(valkey.command(folder, chosen, secrets), valkey.GENTLE)

    def ready(chosen: int) -> Callable[[int], bool]:
        return lambda _pid: valkey.pongs(chosen, secrets)

    found = _start(folder, "redis", valkey.GENTLE, log, port, command, ready)
    return Valkey(**vars(found), url=valkey.address(found.port, secrets))


def _start(
    folder: Path,
    name: str,
    gentle: signal.Signals,
    log: Path,
    port: int | None,
    command: Callable[[int], list[str]],
    ready: Callable[[int], Callable[[int], bool]],
) -> Engine:
    """The folder's server, running: found, or started on the port given or on a free one."""
    with _one_at_a_time(folder):
        known = Started.read(folder)
        if known is not None and known.process.alive():
            if not known.leftover:
                return Engine(folder, known.process, known.port, gentle, None)
            stop(known.process, gentle, 10)
        if port and (line := taken(port, name)):
            raise PortTaken(line)
        for _ in range(3):
            chosen = port or free_port()
            engine = _launch(folder, chosen, gentle, spawn(command(chosen), log), ready(chosen))
            if engine is not None:
                return engine
            if port or is_free(chosen):
                break  # it failed for a reason of its own; only a free port taken meanwhile is tried again
    raise EngineFailed(f"{name} não iniciou", log)


def _launch(
    folder: Path, port: int, gentle: signal.Signals, child: "subprocess.Popen[bytes]", ready: Callable[[int], bool]
) -> Engine | None:
    process, own = Identity.of(child.pid), Identity.own()
    if process is None:
        child.wait()
        return None
    Started(process.pid, process.started, port, own.pid, own.started).write(folder)
    wait_for(lambda: child.poll() is not None or ready(child.pid), START_SECONDS)
    if child.poll() is None and ready(child.pid):
        return Engine(folder, process, port, gentle, child)
    stop(process, gentle, 5, child)
    return None


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
