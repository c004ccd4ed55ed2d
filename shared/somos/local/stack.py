"""The parts of the local stack: what runs, after what, and when each counts as ready."""

import hashlib
import http.client
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from somos.local import postgres, valkey
from somos.local.addresses import LOOPBACK
from somos.local.environment import Ports
from somos.local.supervisor import Part
from somos.settings import ROOT

LIBRARY = ROOT / "shared" / "somos"
# Tables and seeds, revisions, policies and grants, triggers, and the people who sign in.
DATABASE_CODE = ("modules", "migrations", "policy", "mesh", "local")


def parts(folder: Path, ports: Ports, embedded: set[str], environment: Mapping[str, str], people: bool) -> list[Part]:
    """Everything that `somos up` keeps alive, in the order it is shown."""
    engines = tuple(name for name in ("postgres", "redis") if name in embedded)
    world = ("sandbox",) if "sandbox" in embedded else ()
    part = partial(Part, environment=environment)

    def module(name: str, *words: str) -> Callable[[], list[str]]:
        return lambda: [sys.executable, "-m", name, *words]

    def serving(name: str, program: str, port: int, health: str, *words: str, after: tuple[str, ...] = ()) -> Part:
        """A part that answers HTTP on a port of its own."""
        command = module(program, "--port", str(port), *words)
        return part(name, command, _answers(port, health), after=after, address=f"http://{LOOPBACK}:{port}")

    def quiet(name: str, *after: str) -> Part:
        """A part without an address: it says when it is ready by writing its pid to a file."""
        file = folder / "run" / f"{name}.ready"

        def command() -> list[str]:
            file.unlink(missing_ok=True)
            return module("somos.cli", name)()

        settings = {**environment, "SOMOS_READY_FILE": str(file)}
        return Part(name, command, lambda pid: _says(file, pid), after=after, environment=settings)

    migrate = module("somos.cli", "migrate", *(["--people"] if people else []))
    all_parts = [
        _postgres(folder, ports.postgres),
        _valkey(folder, ports.redis),
        serving("sandbox", "infra.sandbox", ports.sandbox, "/_world/health", "--state", str(folder / "world.sqlite3")),
        part("migrate", migrate, after=engines, once=True),
        serving("gateway", "gateway.local", ports.gateway, "/health", after=(*engines, "migrate")),
        serving("realtime", "gateway.realtime", ports.realtime, "/health", after=(*engines, "gateway")),
        quiet("worker", *engines, *world, "gateway"),
        quiet("relay", *engines, "gateway"),
    ]
    left_out = {"postgres", "redis", "sandbox"} - embedded
    if "postgres" in embedded and is_migrated(folder):
        left_out.add("migrate")
    return [
        replace(part, after=tuple(name for name in part.after if name not in left_out))
        for part in all_parts
        if part.name not in left_out
    ]


def _postgres(folder: Path, port: int) -> Part:
    home, log = folder / "postgres", folder / "logs" / "postgres.log"
    return Part(
        "postgres",
        lambda: postgres.command(home, port, folder / "secrets", log),
        partial(postgres.accepts, home),
        address=f"{LOOPBACK}:{port}",
        gentle=postgres.GENTLE,
        lasting=True,
    )


def _valkey(folder: Path, port: int) -> Part:
    return Part(
        "redis",
        lambda: valkey.command(folder / "redis", port, folder / "secrets"),
        lambda _pid: valkey.pongs(port, folder / "secrets"),
        address=f"{LOOPBACK}:{port}",
        gentle=valkey.GENTLE,
        lasting=True,
    )


def is_migrated(folder: Path) -> bool:
    """This very code already prepared the stack's own database."""
    try:
        return _migrated_mark(folder).read_text() == code_fingerprint()
    except OSError:
        return False


def mark_migrated(folder: Path, fingerprint: str) -> None:
    _migrated_mark(folder).write_text(fingerprint)


def _migrated_mark(folder: Path) -> Path:
    # Beside the data, so that whoever throws the data away throws this away too.
    return folder / "postgres" / "migrated"


def code_fingerprint() -> str:
    """Of all that decides what the database should be."""
    digest = hashlib.sha256()
    for file in sorted(file for place in DATABASE_CODE for file in (LIBRARY / place).rglob("*.py")):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


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
