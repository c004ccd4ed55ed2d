"""The mesh of the measured functions: a unit and a worker as real processes, and a hand to state facts with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import text

from somos.mesh.context import Context
from somos.mesh.events import Event
from somos.mesh.routes import Routes
from somos.mesh.runtime import Runtime
from somos.policy.principals import SYSTEM
from somos.settings import Settings
from tests.bench.setting import PYTHON, Process, Setting, answers, free_port, process, until
from tests.bench.unit import functions

TABLES = Path(__file__).parent / "leads" / "tables.sql"
TABLE_NAMES = "bench.leads, bench.effects, bench.starts, mesh.outbox, mesh.deliveries"


@dataclass
class Mesh:
    """Its processes, its database, and a context to state facts with."""

    setting: Setting
    port: int = field(default_factory=free_port)
    unit_process: Process = field(init=False)
    worker_process: Process = field(init=False)

    @cached_property
    def runtime(self) -> Runtime:
        runtime = Runtime(Settings.from_environment(self.environment()))
        runtime.routes = Routes.of(functions().values())
        return runtime

    def environment(self) -> dict[str, str]:
        return self.setting.environment(
            GATEWAY_URL=f"http://127.0.0.1:{self.port}", ROUTES_FILE=str(self._routes_file), SOMOS_LOG_LEVEL="ERROR"
        )

    @cached_property
    def _routes_file(self) -> Path:
        file = self.setting.folder / "routes.json"
        file.write_text(json.dumps(Routes.of(functions().values()).as_json()))
        return file

    @contextmanager
    def unit(self) -> Iterator[Process]:
        command = [PYTHON, "-m", "tests.bench.unit", "--port", str(self.port)]
        with process(command, self.environment(), self.setting.log("unit")) as running:
            answers(self.port, "/_/health", running)
            yield running

    @contextmanager
    def worker(self) -> Iterator[Process]:
        ready = self.setting.folder / "worker.ready"
        ready.unlink(missing_ok=True)
        environment = {**self.environment(), "SOMOS_READY_FILE": str(ready)}
        with process([PYTHON, "-m", "somos.cli", "worker"], environment, self.setting.log("worker")) as running:
            until(ready.exists, 30, "the worker did not get ready")
            yield running

    def make_tables(self) -> None:
        with self.setting.as_owner() as db:
            for statement in TABLES.read_text().split(";"):
                if statement.strip():
                    db.execute(text(statement))

    def empty(self) -> None:
        with self.setting.as_owner() as db:
            db.execute(text(f"truncate {TABLE_NAMES}"))

    @contextmanager
    def stating(self, *events: type[Event]) -> Iterator[Context]:
        """A handler's context: leaving commits, and rings as a function does."""
        context = Context(self.runtime, SYSTEM, "bench", events)
        try:
            yield context
            context.commit()
        except BaseException as error:
            context.abandon(error)
            raise

    def idle(self) -> bool:
        """Nothing is left to deliver."""
        open_ones = self.rows(
            "select 1 from mesh.deliveries where state = 'due' union all "
            "select 1 from mesh.outbox where fanned_at is null limit 1"
        )
        return not open_ones

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.runtime.engine.connect() as db:
            return list(db.execute(text(sql), values))


@contextmanager
def running_mesh(setting: Setting) -> Iterator[Mesh]:
    """A fresh mesh with its unit and worker up."""
    mesh = Mesh(setting)
    mesh.make_tables()
    mesh.empty()
    with mesh.unit() as mesh.unit_process, mesh.worker() as mesh.worker_process:
        yield mesh
    mesh.runtime.engine.dispose()
