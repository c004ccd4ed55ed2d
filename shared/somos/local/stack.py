"""The parts of the local stack: what runs, after what, and when each counts as ready."""

import hashlib
import http.client
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from somos.local.addresses import LOOPBACK
from somos.local.engines import Server, postgres, valkey
from somos.local.environment import Ports
from somos.local.supervisor import Part
from somos.settings import ROOT

CODE = ("shared/somos", "functions")


def parts(folder: Path, ports: Ports, embedded: set[str], environment: Mapping[str, str], people: bool) -> list[Part]:
    """Everything that `somos up` keeps alive, in the order it is shown."""
    base = {
        **environment,
        "ROUTES_FILE": str(_routes(folder)),
        "SOMOS_STACK": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
    }
    engines = tuple(name for name in ("postgres", "redis") if name in embedded)
    world = ("sandbox",) if "sandbox" in embedded else ()

    def module(name: str, *words: str) -> Callable[[], list[str]]:
        return lambda: [sys.executable, "-m", name, *words]

    def quiet(name: str, *after: str) -> Part:
        """A part without an address: it says when it is ready by writing its pid to a file."""
        file = folder / "run" / f"{name}.ready"

        def command() -> list[str]:
            file.unlink(missing_ok=True)
            return module("somos.cli", name)()

        told = {**base, "SOMOS_READY_FILE": str(file)}
        return Part(name, command, lambda pid: _says(file, pid), after=after, environment=told)

    found = [
        Part("postgres", lambda: _postgres(folder, ports).command, _postgres_ready(folder), tied=False,
             gentle=postgres.GENTLE, address=f"{LOOPBACK}:{ports.postgres}"),
        Part("redis", lambda: _valkey(folder, ports).command, _valkey_ready(folder, ports), tied=False,
             gentle=valkey.GENTLE, address=f"{LOOPBACK}:{ports.redis}"),
        Part("sandbox", module("infra.sandbox", "--port", str(ports.sandbox), "--state", str(folder / "world.sqlite3")),
             _answers(ports.sandbox, "/_world/health"), address=f"http://{LOOPBACK}:{ports.sandbox}", environment=base),
        Part("migrate", module("somos.cli", "migrate", "--local", *(["--people"] if people else [])),
             after=engines, once=True, environment=base),
        Part("gateway", module("gateway.local", "--port", str(ports.gateway)), _answers(ports.gateway, "/health"),
             after=("migrate",), address=f"http://{LOOPBACK}:{ports.gateway}", environment=base),
        Part("realtime", module("gateway.realtime", "--port", str(ports.realtime)),
             _answers(ports.realtime, "/health"), after=(*engines, "gateway"),
             address=f"ws://{LOOPBACK}:{ports.realtime}", environment=base),
        quiet("worker", *engines, *world, "gateway"),
        quiet("relay", *engines, "gateway"),
    ]  # fmt: skip
    stood_in = {"postgres", "redis", "sandbox"}
    found = [part for part in found if part.name in embedded or part.name not in stood_in]
    if "postgres" in embedded and is_migrated(folder):
        return [
            replace(part, after=tuple(engines if part.name == "gateway" else part.after))
            for part in found
            if part.name != "migrate"
        ]
    return found


def _routes(folder: Path) -> Path:
    # Not the committed file: what is being edited runs before it is derived.
    return folder / "routes.json"


def is_migrated(folder: Path) -> bool:
    """This very code already prepared the stack's own database and its routes."""
    try:
        return _routes(folder).exists() and _migrated_mark(folder).read_text() == code_fingerprint()
    except OSError:
        return False


def mark_migrated(folder: Path, fingerprint: str) -> None:
    _migrated_mark(folder).write_text(fingerprint)


def _migrated_mark(folder: Path) -> Path:
    # Beside the data, so that whoever throws the data away throws this away too.
    return folder / "postgres" / "migrated"


def code_fingerprint() -> str:
    """Of the library and the functions: they decide what the database and the routes should be."""
    digest = hashlib.sha256()
    for file in sorted(file for place in CODE for file in (ROOT / place).rglob("*.py")):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _postgres(folder: Path, ports: Ports) -> Server:
    return postgres.server(folder / "postgres", ports.postgres, folder / "secrets", folder / "logs" / "postgres.log")


def _postgres_ready(folder: Path) -> Callable[[int], bool]:
    return lambda pid: postgres.accepts(folder / "postgres", pid)


def _valkey(folder: Path, ports: Ports) -> Server:
    return valkey.server(folder / "redis", ports.redis, folder / "secrets", folder / "logs" / "redis.log")


def _valkey_ready(folder: Path, ports: Ports) -> Callable[[int], bool]:
    return lambda _pid: valkey.pongs(ports.redis, folder / "secrets")


def _answers(port: int, path: str) -> Callable[[int], bool]:
    def ready(_pid: int) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ready


def _says(file: Path, pid: int) -> bool:
    try:
        return file.read_text() == str(pid)
    except OSError:
        return False
