"""One server of one folder: started when its port is known, shared while its starter lives."""

import contextlib
import fcntl
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from somos.local.addresses import free_port, is_free, require_free
from somos.local.processes import Identity, Record, last_lines, spawn, stop, wait_for

START_SECONDS = 30.0


class EngineFailed(Exception):
    """A server did not start; the text ends with its last log lines."""

    def __init__(self, what: str, log: Path | None = None) -> None:
        super().__init__("\n".join([what, *(last_lines(log) if log else [])]))


@dataclass(frozen=True)
class Server:
    """A server made ready to start: what runs, where it listens, when it answers, how it is asked to end."""

    name: str
    folder: Path
    port: int
    log: Path
    command: list[str] = field(repr=False)
    ready: Callable[[int], bool] = field(repr=False)
    gentle: signal.Signals

    @property
    def record(self) -> Path:
        return record_of(self.folder)


@dataclass
class Engine:
    """A running server and how to end it."""

    folder: Path
    process: Identity
    port: int
    log: Path
    gentle: signal.Signals
    child: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def shared(self) -> bool:
        """Another living process started it, and it ends with that one."""
        return self.child is None

    def alive(self) -> bool:
        return (self.child is None or self.child.poll() is None) and self.process.alive()

    def stop(self, grace: float = 10.0) -> None:
        if self.child is not None:
            stop(self.process, self.gentle, grace, self.child)
            record_of(self.folder).unlink(missing_ok=True)


def record_of(folder: Path) -> Path:
    return folder / "process.json"


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start(
    folder: Path,
    name: str,
    gentle: signal.Signals,
    log: Path,
    port: int | None,
    prepare: Callable[[int], Server],
) -> Engine:
    """The folder's server, running: found, or started on the port given or on a free one."""
    with one_at_a_time(folder):
        record = Record.read(record_of(folder))
        if record is not None and record.process.alive():
            if not record.leftover:
                return Engine(folder, record.process, record.port, log, gentle)
            record.stop()
        if port:
            require_free(port, name)
        for _ in range(3):
            server = prepare(port or free_port())
            engine = _launch(server)
            if engine is not None:
                return engine
            if port or is_free(server.port):
                break  # it failed for a reason of its own; only a free port taken meanwhile is tried again
    raise EngineFailed(f"{name} não iniciou", log)


def _launch(server: Server) -> Engine | None:
    child = spawn(server.command, server.log)
    process = Identity.of(child.pid)
    if process is None:
        child.wait()
        return None
    Record.of(process, server.port, server.gentle).write(record_of(server.folder))
    wait_for(lambda: child.poll() is not None or server.ready(child.pid), START_SECONDS)
    if child.poll() is None and server.ready(child.pid):
        return Engine(server.folder, process, server.port, server.log, server.gentle, child)
    stop(process, server.gentle, 5, child)
    return None
