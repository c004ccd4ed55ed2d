"""Processes we started: who they are beyond a pid, how they die with us, how they are stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

LINUX = sys.platform.startswith("linux")


@dataclass(frozen=True)
class Identity:
    """A process, told apart from a later one that got the same pid by when it started."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        started = _started(pid)
        return cls(pid, started) if started else None

    @classmethod
    def own(cls) -> "Identity":
        identity = cls.of(os.getpid())
        assert identity is not None
        return identity

    def alive(self) -> bool:
        return _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signal exactly this process; one that already ended is fine."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def _started(pid: int) -> str:
    """When a living process started, as text no later process with its pid shares; "" when it is gone."""
    if not LINUX:
        ps = ["/bin/ps", "-o", "lstart=,stat=", "-p", str(pid)]
        shown = subprocess.run(ps, capture_output=True, text=True)  # noqa: S603
        return "" if " Z" in shown.stdout else shown.stdout.strip()
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        fields = stat[stat.rindex(")") + 2 :].split()
        # A zombie has ended: it only waits for its parent to look.
        return "" if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"
    except (OSError, ValueError):
        return ""


def _boot() -> str:
    # Ticks count from boot, so after a restart the same number may name another process.
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return "boot"


@dataclass(frozen=True)
class Record:
    """What is kept on disk about a process, so that the next start knows what the last one left."""

    pid: int
    started: str
    gentle: int
    """The signal that asks it to end."""

    @classmethod
    def read(cls, path: Path) -> "Record | None":
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None  # never written, or torn by a crash: the same as not knowing

    def write(self, path: Path) -> None:
        part = path.with_name(path.name + ".part")
        part.write_text(json.dumps(asdict(self)))
        part.replace(path)

    @property
    def process(self) -> Identity:
        return Identity(self.pid, self.started)


def dying_with_us(command: list[str], number: signal.Signals, extra: list[str] | None = None) -> list[str]:
    """The command, asked by the kernel to end when the thread that starts it ends, even by SIGKILL.

    `setpriv` execs the command, so the pid stays. Without it (not Linux) the pid records do the cleaning.
    """
    setpriv = shutil.which("setpriv") if LINUX else None
    if setpriv is None:
        return command
    return [setpriv, "--pdeathsig", number.name.removeprefix("SIG"), *(extra or []), "--", *command]


def spawn(
    command: list[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path = Path("/"),
) -> "subprocess.Popen[bytes]":
    """Start a process that writes to a log, in a session of its own: a terminal's Ctrl-C is not for it."""
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )


class EngineFailed(Exception):
    """A server did not start; the text ends with its last log lines."""

    def __init__(self, what: str, log: Path | None = None) -> None:
        super().__init__("\n".join([what, *(last_lines(log) if log else [])]))


def last_lines(log: Path, count: int = 15) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16_384))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def wait_for(ready: Callable[[], bool], seconds: float, every: float = 0.01) -> bool:
    """Poll a condition until it holds or the deadline passes."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def stop(
    process: Identity,
    gentle: signal.Signals,
    grace: float,
    child: "subprocess.Popen[bytes] | None" = None,
) -> bool:
    """End one process: asked first, killed after the grace. True when asking was enough."""

    def gone() -> bool:
        if child is not None and child.poll() is not None:
            return True
        return not process.alive()

    process.send(gentle)
    stopped = wait_for(gone, grace)
    if not stopped:
        process.send(signal.SIGKILL)
        wait_for(gone, 5)
    if child is not None:
        child.wait(5)
    return stopped


def living_in(folder: Path) -> list[Identity]:
    """Processes whose working directory is this folder (what a killed server's children still have)."""
    import psutil

    inside = [one.pid for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(folder.resolve())]
    return [identity for pid in inside if (identity := Identity.of(pid))]
