"""Many units as forks of one parent, which loads everything once and whose memory they share.

`python -m somos.mesh.fork_server UNITS.json`, where the file is a list of `{"name", "port", "environment"}`; each
unit's process has exactly that environment. A unit that ends is forked again; when the parent ends, all of them do.
"""

import contextlib
import ctypes
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from somos.mesh.loader import load
from somos.mesh.log import configure, log
from somos.mesh.serve import server
from somos.settings import Settings

if TYPE_CHECKING:
    from pydantic import BaseModel

    from somos.mesh.dispatch import Application
    from somos.mesh.routes import Routes

# What the first request would load in every unit by itself.
PRELOADED = (
    "granian.server.embed",
    "somos.mesh.asgi",
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
    "somos.mesh.unit",
    "somos.mesh.database",
    "somos.mesh.tables",
)
RESTART_DELAYS_S = (0.2, 1.0, 5.0)  # how long a unit that keeps ending is left alone
STABLE_S = 20.0
STOP_TIMEOUT_S = 30.0
# The interpreter rewrites code that runs often, until it has settled: let it do so before the fork.
WARM_UP_ROUNDS = 20
_PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


@dataclass
class ForkedUnit:
    """One unit: where it listens, and how it fares."""

    name: str
    port: int
    environment: Mapping[str, str]
    host: str = "127.0.0.1"
    application: "Application | None" = None
    serve: Callable[[], None] | None = None
    pid: int = 0
    exits: int = 0
    started_at: float = 0.0
    restart_at: float = 0.0


@dataclass
class ForkServer:
    """The parent. It starts no thread, and closes its connections before it forks: neither survives that."""

    units: list[ForkedUnit]
    _stopping: bool = field(default=False, init=False)

    def run(self) -> None:
        """Fork all, keep them alive, return once asked to stop and all have ended."""
        self._preload()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        while not self._stopping:
            now = time.monotonic()
            for one in self.units:
                if not one.pid and now >= one.restart_at:
                    self._fork(one)
            self._reap(0.2)
        self._stop()

    def _preload(self) -> None:
        """Make all that the units will use, before the first of them is forked: what one makes by itself, or
        what changes here between two forks, is memory that they do not share."""
        for name in PRELOADED:
            import_module(name)
        from somos.mesh.unit import wsgi

        applications = [_application_of(one.environment) for one in self.units]
        for one, application in zip(self.units, applications, strict=True):
            one.application = application
            one.serve = server(wsgi, application, one.host, one.port, int(one.environment.get("THREADS", "4")))
        configure(applications[0].runtime.settings.log_level)
        _warm_up(applications[0])
        # No collection before it: what that frees is filled again in every unit by itself.
        gc.freeze()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _fork(self, one: ForkedUnit) -> None:
        one.started_at = time.monotonic()
        one.pid = os.fork()
        if not one.pid:
            _run_unit(one)  # never returns

    def _reap(self, seconds: float) -> None:
        """Notice who ended within so long."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit and not self._stopping:
            with contextlib.suppress(ChildProcessError):
                while (pid_and_status := os.waitpid(-1, os.WNOHANG))[0]:
                    self._exited(*pid_and_status)
            time.sleep(0.02)

    def _exited(self, pid: int, status: int) -> None:
        for one in self.units:
            if one.pid == pid:
                now = time.monotonic()
                one.exits = 1 if now - one.started_at > STABLE_S else one.exits + 1
                one.pid, one.restart_at = 0, now + RESTART_DELAYS_S[min(one.exits, len(RESTART_DELAYS_S)) - 1]
                print(f"{one.name} ended ({os.waitstatus_to_exitcode(status)})", file=sys.stderr, flush=True)

    def _stop(self) -> None:
        living = {one.pid for one in self.units if one.pid}
        for pid in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        limit = time.monotonic() + STOP_TIMEOUT_S
        while living and time.monotonic() < limit:
            living -= {pid for pid in living if os.waitpid(pid, os.WNOHANG)[0]}
            time.sleep(0.01)
        for pid in living:
            os.kill(pid, signal.SIGKILL)


def _application_of(environment: Mapping[str, str]) -> "Application":
    """With its own settings, and an engine that is not connected yet."""
    from somos.mesh.dispatch import Application
    from somos.mesh.runtime import Runtime
    from somos.mesh.unit import functions_to_host

    runtime = Runtime(Settings.from_environment(environment))
    if runtime.settings.database_url:
        settings = runtime.settings
        runtime.engine = _engine(settings.database_url, settings.pool_size, settings.prepared_statements)
    runtime.routes = _routes(runtime.settings.routes_file)
    return Application(load(*functions_to_host(environment)), runtime)


@cache
def _engine(url: str, pool_size: int, prepared_statements: int) -> Any:
    """One for all units of the same settings: what it learns of the server, and the statements it compiles, are shared.
    Its connections are not: the last one is closed before the first fork."""
    from somos.mesh.database import engine_for

    return engine_for(url, pool_size, prepared_statements)


@cache
def _routes(file: str) -> "Routes":
    from somos.mesh.routes import Routes

    return Routes.load(file)


def _warm_up(application: "Application") -> None:
    """What every unit would work out for itself: how tables hang together, how a request and a token pass."""
    from pydantic import BaseModel
    from sqlalchemy import select
    from sqlalchemy.orm import configure_mappers
    from werkzeug.test import Client

    from somos.mesh import clock, unit
    from somos.mesh.database import Acting, transaction
    from somos.mesh.tables import Root
    from somos.policy.principals import SYSTEM, Kind, Principal
    from somos.policy.roles import Role
    from somos.policy.tokens import TokenSigner, TokenVerifier, new_keypair

    configure_mappers()
    for model in _unbuilt_models(BaseModel):
        model.model_rebuild()
    private, public = new_keypair()
    nobody = Principal(UUID(int=0), Role.Comercial, Kind.user, "", "warm-up")
    unit.use(application)
    for _ in range(WARM_UP_ROUNDS):
        TokenVerifier(public).verify(TokenSigner(private).access(nobody, clock.now()), clock.now())
        for path in ("/_/health", "/_/ready", "/api/v1/nothing"):
            Client(unit.wsgi).get(path)
    try:
        for _ in range(WARM_UP_ROUNDS):
            with transaction(application.runtime.engine, Acting(SYSTEM, "warm-up")) as db:
                for mapper in Root.registry.mappers:
                    db.execute(select(mapper).limit(0))
    except Exception as error:
        # The database is away: every unit says so itself, and works the rest out later.
        print(f"no warm-up: {type(error).__name__}", file=sys.stderr, flush=True)
    finally:
        application.runtime.engine.dispose()


def _unbuilt_models(of: "type[BaseModel]") -> "Iterator[type[BaseModel]]":
    """Those whose validator waits for a first value."""
    for model in of.__subclasses__():
        if model.__module__.startswith(("somos.", "functions.")) and not model.__pydantic_complete__:
            yield model
        yield from _unbuilt_models(model)


def _set_environment(environment: Mapping[str, str]) -> None:
    """Exactly this environment; what is as it was is left untouched, and so stays shared."""
    for name in [name for name in os.environ if name not in environment]:
        del os.environ[name]
    for name, value in environment.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def end_with_parent() -> None:
    """Let the kernel end this process, too, when its parent is killed: nobody would know of it."""
    if sys.platform.startswith("linux"):
        LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _run_unit(one: ForkedUnit) -> None:
    """The rest of a unit's life."""
    code = 1
    try:
        end_with_parent()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        _set_environment(one.environment)
        from somos.mesh import runtime, unit

        assert one.application is not None
        assert one.serve is not None
        runtime.use(one.application.runtime)
        unit.use(one.application)
        one.serve()
        code = 0
    except BaseException:
        log.exception("unit_exited", unit=one.name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    units = json.loads(Path(sys.argv[1]).read_text())
    ForkServer([ForkedUnit(**one) for one in units]).run()


if __name__ == "__main__":
    main()
