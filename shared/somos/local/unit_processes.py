"""A placement on one machine: each unit a process on a port of its own, forked from one parent per image."""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from somos.local.addresses import LOOPBACK, reserved_port
from somos.local.processes import Identity, dying_with_us, last_lines, spawn, stop
from somos.mesh.derive.units import Unit
from somos.settings import ROOT, Settings
from somos.wiring import every_setting

FORK_SERVER = (sys.executable, "-m", "somos.mesh.fork_server")
# Settings that are no secret and no address of the outside: every unit may know them.
COMMON = ("backoff_scale", "bcrypt_cost", "log_level", "public_url", "routes_file")
# Many processes share one PostgreSQL: each keeps one connection, and opens more only while it is busy.
POOL_SIZE = 1
GRACE_S = 40.0
# An arena of memory for each thread, as glibc likes, is a few MiB for each of a hundred processes.
FRUGAL = {"MALLOC_ARENA_MAX": "1"}


class NotReady(Exception):
    """Units that did not get ready; the text says which and what they said last."""


class UnitProcesses:
    """Starts units and knows where each function answers."""

    def __init__(
        self,
        units: Iterable[Unit],
        environment: Mapping[str, str],
        folder: Path,
        parent_command: Iterable[str] = FORK_SERVER,
    ) -> None:
        self.units = list(units)
        self._sockets = {unit.name: reserved_port() for unit in self.units}
        self.ports: dict[str, int] = {name: bound.getsockname()[1] for name, bound in self._sockets.items()}
        self._environment = environment
        self._folder = folder
        self._command = list(parent_command)
        self._parents: list[subprocess.Popen[bytes]] = []
        self.unit_of = {function.name: unit for unit in self.units for function in unit.functions}

    def port_of(self, function: str) -> int:
        return self.ports[self.unit_of[function].name]

    @property
    def parents(self) -> list[int]:
        """The processes that the units are forked from."""
        return [parent.pid for parent in self._parents]

    def start(self, seconds: float = 60.0) -> None:
        """Return when every unit is ready. Raises NotReady."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for image in sorted({unit.image for unit in self.units}):
            file = self._folder / f"units-{image}.json"
            file.touch(mode=0o600)  # it holds secrets
            file.write_text(json.dumps([self._unit_entry(unit) for unit in self.units if unit.image == image]))
            command = dying_with_us([*self._command, str(file)], signal.SIGTERM)
            self._parents.append(spawn(command, self._log(image), {**self._bare(), **FRUGAL}, ROOT))
        limit = time.monotonic() + seconds
        waiting = list(self.units)
        while waiting:
            waiting = [unit for unit in waiting if not self.is_ready(unit)]
            ended = any(parent.poll() is not None for parent in self._parents)
            if waiting and (ended or time.monotonic() > limit):
                log_lines = "\n".join(line for image in ("core", "ai") for line in last_lines(self._log(image)))
                self.stop()
                raise NotReady(f"{', '.join(unit.name for unit in waiting)} não ficaram prontas:\n{log_lines}")
            time.sleep(0.05 if waiting else 0)

    def is_ready(self, unit: Unit) -> bool:
        """It answers that its own functions are loaded and the database is there."""
        connection = http.client.HTTPConnection(LOOPBACK, self.ports[unit.name], timeout=5)
        try:
            connection.request("GET", "/_/ready")
            answer = connection.getresponse()
            readiness = json.loads(answer.read())
            return answer.status == 200 and readiness["functions"] == sorted(one.name for one in unit.functions)
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """End them all; what is under way is finished first."""
        for parent in self._parents:
            parent.terminate()
        for parent in self._parents:
            identity = Identity.of(parent.pid)
            if identity:
                stop(identity, signal.SIGTERM, GRACE_S, parent)
            parent.wait()
        self._parents.clear()
        for bound in self._sockets.values():
            bound.close()

    def environment_of(self, unit: Unit) -> dict[str, str]:
        """What this unit gets: of secrets and of the outside only what its functions need."""
        allowed = {*COMMON, *(_field(name) for name in (*unit.secrets, *unit.settings))}
        known = Settings.from_environment(self._environment)
        settings = {
            name.upper(): str(value)
            for name in sorted(allowed)
            if (value := getattr(known, name, None) or known.outside.get(name.upper()))
        }
        return {
            **self._bare(),
            **settings,
            **unit.environment,
            "THREADS": str(unit.threads),
            "POOL_SIZE": str(POOL_SIZE),
            "SOMOS_STACK": "1",
        }

    def _bare(self) -> dict[str, str]:
        """The environment without any setting of ours."""
        names = {*map(str.upper, Settings.names()), *every_setting()}
        ours = {*names, *(f"SOMOS_{name}" for name in names)}
        return {name: value for name, value in self._environment.items() if name not in ours}

    def _unit_entry(self, unit: Unit) -> dict[str, object]:
        return {"name": unit.name, "port": self.ports[unit.name], "environment": self.environment_of(unit)}

    def _log(self, image: str) -> Path:
        return self._folder / f"units-{image}.log"


def _field(name: str) -> str:
    """`jwt-public-key` and `JWT_PUBLIC_KEY` as Settings calls it."""
    return name.lower().replace("-", "_")
