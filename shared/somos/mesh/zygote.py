"""Many units as forked siblings of one parent, which loads everything once and whose memory they share.

`python -m somos.mesh.zygote UNITS.json`, where the file is a list of `{"name", "port", "environment"}`; each unit's
process has exactly that environment. A sibling that ends is forked again; when the parent ends, all of them do.
"""

import contextlib
import ctypes
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import FrameType

from somos.mesh.loader import load
from somos.mesh.serve import serve

# What the first request would load in every sibling by itself.
SHARED = (
    "flask",
    "functions_framework",
    "granian.server",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.postgresql.pg8000",
    "pg8000.dbapi",
    "redis",
    "rq",
    "urllib3",
    "jwt",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "croniter",
    "somos.wiring",
    "somos.policy.tokens",
    "somos.mesh.host",
    "somos.mesh.database",
    "somos.mesh.tables",
)
AGAIN_S = (0.2, 1.0, 5.0)  # how long a sibling that keeps ending is left alone
STEADY_S = 20.0
PATIENCE_S = 30.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Sibling:
    """One unit: where it listens, and how it fares."""

    name: str
    port: int
    environment: Mapping[str, str]
    host: str = "127.0.0.1"
    pid: int = 0
    deaths: int = 0
    born: float = 0.0
    due: float = 0.0


@dataclass
class Zygote:
    """The parent. It opens no connection and starts no thread: neither survives a fork."""

    siblings: list[Sibling]
    _ended: bool = field(default=False, init=False)

    def run(self) -> None:
        """Fork all, keep them alive, return once asked to stop and all have ended."""
        preload(self.siblings)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked)
        while not self._ended:
            now = time.monotonic()
            for one in self.siblings:
                if not one.pid and now >= one.due:
                    self._fork(one)
            self._reap(0.2)
        self._stop()

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self._ended = True

    def _fork(self, one: Sibling) -> None:
        one.born = time.monotonic()
        one.pid = os.fork()
        if not one.pid:
            _live(one)  # never returns

    def _reap(self, seconds: float) -> None:
        """Notice who ended within so long."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit and not self._ended:
            with contextlib.suppress(ChildProcessError):
                while (found := os.waitpid(-1, os.WNOHANG))[0]:
                    self._died(*found)
            time.sleep(0.02)

    def _died(self, pid: int, status: int) -> None:
        for one in self.siblings:
            if one.pid == pid:
                now = time.monotonic()
                one.deaths = 1 if now - one.born > STEADY_S else one.deaths + 1
                one.pid, one.due = 0, now + AGAIN_S[min(one.deaths, len(AGAIN_S)) - 1]
                print(f"{one.name} ended ({os.waitstatus_to_exitcode(status)})", file=sys.stderr, flush=True)

    def _stop(self) -> None:
        living = {one.pid for one in self.siblings if one.pid}
        for pid in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        limit = time.monotonic() + PATIENCE_S
        while living and time.monotonic() < limit:
            living -= {pid for pid in living if os.waitpid(pid, os.WNOHANG)[0]}
            time.sleep(0.01)
        for pid in living:
            os.kill(pid, signal.SIGKILL)


def preload(siblings: Iterable[Sibling]) -> None:
    """Load what the siblings will need, and let no collection touch (and so copy) it in them."""
    for name in SHARED:
        import_module(name)
    asked = [_told(one) for one in siblings]
    load(*() if () in asked else {name for names in asked for name in names})
    gc.collect()
    gc.freeze()


def _told(one: Sibling) -> tuple[str, ...]:
    from somos.mesh.host import asked

    return asked(one.environment)


def _live(one: Sibling) -> None:
    """The rest of a sibling's life."""
    code = 1
    try:
        if sys.platform.startswith("linux"):
            # Also when the parent is killed: nobody would know of us.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(one.environment)
        from somos.mesh.host import app

        serve(app(), one.host, one.port, int(one.environment.get("THREADS", "4")))
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    found = json.loads(Path(sys.argv[1]).read_text())
    Zygote([Sibling(**one) for one in found]).run()


if __name__ == "__main__":
    main()
