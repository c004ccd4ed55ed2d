"""Keeps the parts of the local stack alive: in order, restarted with patience, ended in reverse."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from somos.local.processes import Identity, Record, dying_with_us, last_lines, spawn, stop
from somos.local.signal_wakeup import SignalWakeup

DEATHS_IN_A_ROW = 5
STEADY_SECONDS = 20.0  # a part that lived this long after getting ready is forgiven its earlier deaths
BACKOFF = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
LOG_BYTES = 5_000_000


@dataclass(frozen=True)
class Part:
    """One process to keep alive, or with `once`, to run to its end."""

    name: str
    command: Callable[[], list[str]] = field(repr=False)
    """Asked at every start, so it may prepare the ground; it may raise to say what is wrong."""
    ready: Callable[[int], bool] = field(default=lambda _pid: True, repr=False)
    after: tuple[str, ...] = ()
    once: bool = False
    address: str = ""
    gentle: signal.Signals = signal.SIGTERM
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    start_seconds: float = 60.0
    grace_seconds: float = 15.0
    lasting: bool = False
    """Once it was ready, it is tried again for as long as it takes: a full disk is emptied by a person some day."""


@dataclass
class Status:
    """How a part is doing."""

    part: Part
    state: str = "waiting"  # waiting, starting, ready, done, down, stopping, stopped
    child: "subprocess.Popen[bytes] | None" = None
    process: Identity | None = None
    deaths: int = 0
    was_ready: bool = False
    started: float = 0.0
    since: float = 0.0
    due: float = 0.0
    last: str = ""

    @property
    def settled(self) -> bool:
        return self.state in ("ready", "done")


class Broken(Exception):
    """A part that cannot be kept alive; the text says which and what it said last."""


class Supervisor:
    """Keeps parts alive while its block runs; leaving the block ends them all."""

    def __init__(
        self,
        parts: Sequence[Part],
        folder: Path,
        say: Callable[[str], None] = print,
        changed: "Callable[[Supervisor, Status], None]" = lambda _supervisor, _status: None,
        backoff: Sequence[float] = BACKOFF,
    ) -> None:
        self.parts = {part.name: Status(part) for part in parts}
        self.logs = folder / "logs"
        self._records = folder / "run"
        self._say = say
        self._changed = changed
        self._backoff = backoff
        self._wakeup = SignalWakeup()
        self._rotated = 0.0
        for place in (self.logs, self._records):
            place.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        self._wakeup.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all parts, each after those that need it; asked again meanwhile, without patience."""
        while self._end_all():
            self._wakeup.sleep(0.02)
        self._wakeup.__exit__(kind, error, trace)

    def run(self, settled: Callable[[], int | None] = lambda: None) -> int:
        """Start everything and keep it up; `settled` is asked each turn while all is ready, and may end it."""
        while not self._wakeup.stop_requests:
            for status in self.parts.values():
                self._turn(status)
            self._rotate_logs()
            everything = all(status.settled for status in self.parts.values())
            code = settled() if everything else None
            if code is not None:
                return code
            self._wakeup.sleep(0.5 if everything else 0.02)
        return 0

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    # --- one part ---------------------------------------------------------------------------------------

    def _turn(self, status: Status) -> None:
        now = time.monotonic()
        match status.state:
            case "waiting" | "down":
                if self._has_its_ground(status) and now >= status.due:
                    self._start(status)
            case "starting":
                self._watch_start(status, now)
            case "ready" if status.child is not None and status.child.poll() is not None:
                self._died(status)
            case "ready" if status.deaths and now - status.since > STEADY_SECONDS:
                status.deaths = 0

    def _start(self, status: Status) -> None:
        part = status.part
        try:
            command = part.command()
        except Exception as error:
            status.last = str(error)
            self._died(status)
            return
        status.child = spawn(dying_with_us(command, part.gentle), self.log(part.name), part.environment)
        status.process = Identity.of(status.child.pid)
        self._keep_record(status)
        self._enter(status, "starting")

    def _watch_start(self, status: Status, now: float) -> None:
        assert status.child is not None
        part, code = status.part, status.child.poll()
        if code == 0 and part.once:
            self._enter(status, "done")
        elif code is not None:
            self._died(status)
        elif not part.once and part.ready(status.child.pid):
            self._enter(status, "ready")
        elif not self._has_its_ground(status):
            status.since = now  # what it needs went away: its time begins when that is back
        elif now - status.since > part.start_seconds:
            self._say(f"{part.name} não ficou pronto em {part.start_seconds:.0f} s")
            self._signal(status, signal.SIGKILL)
            status.child.wait()
            self._died(status)

    def _died(self, status: Status) -> None:
        name = status.part.name
        how = status.last or _ending(status.child)
        status.last, status.child, status.process = "", None, None
        status.deaths += 1
        self._record(name).unlink(missing_ok=True)
        if self._is_given_up(status):
            self._enter(status, "stopped")
            times = "" if status.part.once else f" {status.deaths} vezes seguidas"
            lines = "\n".join(f"    {line}" for line in last_lines(self.log(name)))
            raise Broken(f"{name} caiu{times} ({how}); o fim de {self.log(name)}:\n{lines}")
        wait = self._backoff[min(status.deaths, len(self._backoff)) - 1]
        status.due = time.monotonic() + wait
        self._say(f"{name} caiu ({how}) e volta em {wait:g} s; veja {self.log(name)}")
        self._enter(status, "down")

    def _has_its_ground(self, status: Status) -> bool:
        return all(self.parts[name].settled for name in status.part.after)

    def _is_given_up(self, status: Status) -> bool:
        """It dies by itself, although what it needs is there, and it is no engine that ran before."""
        if status.part.once:
            return self._has_its_ground(status)
        lasting = status.part.lasting and status.was_ready
        return status.deaths >= DEATHS_IN_A_ROW and self._has_its_ground(status) and not lasting

    def _keep_record(self, status: Status) -> None:
        """For the next start, should we be killed. A disk too full for it is no reason to end what runs."""
        if status.process is None:
            return
        try:
            record = Record(status.process.pid, status.process.started, status.part.gentle)
            record.write(self._record(status.part.name))
        except OSError as error:
            self._say(f"não anotei o processo de {status.part.name}: {error.strerror}")

    def _enter(self, status: Status, state: str) -> None:
        status.state, status.since = state, time.monotonic()
        status.was_ready |= state == "ready"
        if state == "starting":
            status.started = status.since
        self._changed(self, status)

    # --- the end ----------------------------------------------------------------------------------------

    def _end_all(self) -> bool:
        left = [self._end(status) for status in self.parts.values()]
        return any(left)

    def _end(self, status: Status) -> bool:
        """Move one part towards its end; True while it is not there yet."""
        if status.child is None or status.child.poll() is not None:
            if status.child is not None:
                self._record(status.part.name).unlink(missing_ok=True)
            status.child = None
            status.state = "stopped"
            return False
        needed = any(status.part.name in other.part.after and other.child is not None for other in self.parts.values())
        if status.state != "stopping" and not needed:
            self._signal(status, status.part.gentle)
            self._enter(status, "stopping")
        patience = 0.0 if self._wakeup.stop_requests > 1 else status.part.grace_seconds
        if status.state == "stopping" and time.monotonic() - status.since > patience:
            self._signal(status, signal.SIGKILL)
        return True

    def _signal(self, status: Status, number: signal.Signals) -> None:
        if status.child is not None:
            status.child.send_signal(number)

    # --- what surrounds them ----------------------------------------------------------------------------

    def _record(self, name: str) -> Path:
        return self._records / f"{name}.json"

    def _rotate_logs(self) -> None:
        """Copy and empty a log that grew too long; its writers append, so they go on at its new start."""
        now = time.monotonic()
        if now - self._rotated < 10:
            return
        self._rotated = now
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > LOG_BYTES:
                with contextlib.suppress(OSError):  # without room for a copy, cutting it makes some
                    log.with_suffix(".log.1").write_bytes(log.read_bytes())
                os.truncate(log, 0)


def _ending(child: "subprocess.Popen[bytes] | None") -> str:
    code = child.returncode if child is not None else None
    if code is None:
        return "não iniciou"
    if code < 0:
        return f"sinal {signal.Signals(-code).name}"
    return f"saiu com {code}"


def stop_leftovers(folder: Path) -> list[str]:
    """End what a killed supervisor of this folder left running; the names of those parts. Whoever asks holds the
    folder, so what lives is nobody's any more."""
    records = {path: Record.read(path) for path in sorted((folder / "run").glob("*.json"))}
    left = {path.stem: record for path, record in records.items() if record is not None and record.process.alive()}
    for record in left.values():
        record.process.send(signal.Signals(record.gentle))
    for record in left.values():
        stop(record.process, signal.Signals(record.gentle), 10)
    for path in records:
        path.unlink(missing_ok=True)
    return list(left)
