"""Units as real processes for a test run: one parent per image, siblings that share the test's clock."""

import mmap
import os
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from werkzeug.wrappers import Request, Response

from gateway.local.hosts import Hosts, UnitHosts
from somos.cli.needs import needs_of
from somos.local.unit_processes import UnitProcesses
from somos.mesh import clock
from somos.mesh.derive.placement import Grain, Placement, of_grain
from somos.mesh.derive.units import units
from somos.mesh.dispatch import problem_response
from somos.mesh.loader import load
from somos.mesh.problems import Problem
from somos.mesh.router import Router
from somos.mesh.routes import Routes
from somos.mesh.runtime import Runtime
from somos.settings import ROOT, Settings

CLOCK = "TEST_CLOCK_FILE"


class Clock:
    """The time of a test, where other processes can read it; without one, the real time."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), 8)

    def set(self, time: datetime) -> None:
        self._shared[:] = struct.pack("d", time.timestamp())

    def now(self) -> datetime:
        at = struct.unpack("d", self._shared[:])[0]
        return datetime.fromtimestamp(at, UTC) if at else datetime.now(UTC)


class Placed:
    """What the mesh's one door is in a single process: requests by public path, deliveries by name."""

    def __init__(self, hosts: Hosts, routes: Routes, shared: Clock) -> None:
        self._hosts, self._clock = hosts, shared
        self._edge = Router((edge.method, edge.path, edge.function) for edge in routes.edges)

    def __call__(self, request: Request, function: str | None = None) -> Response:
        self._clock.set(clock.now())
        try:
            name = function or self._edge.match(request.method, request.path)[0]
        except Problem as problem:
            return problem_response(problem)
        return self._hosts.answer(name, request.environ)


def variables(settings: Settings) -> dict[str, str]:
    """The environment of a process that is told the same."""
    own = {name.upper(): str(value) for name in Settings.names() if (value := getattr(settings, name)) != ""}
    return {**own, **settings.outside}


@contextmanager
def running_units(grain: Grain, settings: Settings) -> Iterator[tuple[UnitProcesses, Placed]]:
    """Every unit of this grain, ready; ended afterwards."""
    # A test's own toys may have declared themselves too; they are in no unit.
    functions = {n: f for n, f in load().items() if Path(f.file).is_relative_to(ROOT / "functions")}
    runtime = Runtime(settings, routes=Routes.of(functions.values()))
    with tempfile.TemporaryDirectory(prefix="somos-units-") as name:
        folder = Path(name)
        shared = folder / "clock"
        shared.write_bytes(struct.pack("d", 0))  # whole before any unit reads it
        environment = {
            **os.environ,
            **variables(settings),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
            CLOCK: str(shared),
            "SOMOS_LOG_LEVEL": "WARNING",
        }
        found = units(functions.values(), of_grain(grain), Placement.load(), needs_of)
        processes = UnitProcesses(found, environment, folder, [sys.executable, "-m", "tests.harness.units"])
        processes.start(120)
        try:
            hosts = UnitHosts(functions, runtime, processes)
            yield processes, Placed(hosts, runtime.routes, Clock(shared))
        finally:
            processes.stop()


if __name__ == "__main__":
    # The parent of the siblings: they inherit its clock.
    from somos.mesh.fork_server import main

    clock.use(Clock(Path(os.environ[CLOCK])).now)
    main()
