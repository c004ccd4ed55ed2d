"""What the mesh costs while nothing happens, in a house that has been busy for years."""

import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from somos.mesh import outbox
from somos.mesh.backlog import backlogs
from somos.mesh.clock import now
from somos.mesh.database import engine_for
from somos.mesh.relay import Relay
from somos.mesh.routes import Routes
from somos.mesh.runtime import Runtime
from somos.migrations import migrate
from somos.settings import Settings
from tests.bench.rows import Budget, Row
from tests.bench.setting import PYTHON, Process, Setting, family, free_port, process, until
from tests.bench.unit import functions

AUDIT_ROWS, DONE, DUE = 4_000_000, 1_000_000, 300_000
# Over a minute, so that a minute's housekeeping is among it; Prometheus asks as often as in infra/monitoring.
WATCHED_S, SCRAPED_S = 75, 15
SETTLING_S = 10

# Years of the trail, sealed; a month of finished work, none of it old enough to be forgotten.
_SEED = (
    "alter table mesh.audit disable trigger user",
    "insert into mesh.audit (at, table_name, row_id, op, function, correlation, changes) "
    "select now() - n * interval '30 seconds', 'crm.deals', gen_random_uuid(), 'update', 'crm-deals', "
    "gen_random_uuid(), jsonb_build_object('value_cents', jsonb_build_array(n, n + 1)) "
    "from generate_series(1, :audit) n",
    "alter table mesh.audit enable trigger user",
    "insert into mesh.audit_seals (audit_id, hash) select id, sha256(id::text::bytea) from mesh.audit order by id",
    "insert into mesh.outbox (id, type, data, due_at, occurred_at, correlation, emitted_by, fanned_at) "
    "select gen_random_uuid(), 'bench.done', '{}', at, at, gen_random_uuid(), 'bench', at "
    "from (select now() - n * interval '2 seconds' as at from generate_series(1, :done) n) spread",
    "insert into mesh.deliveries (id, event_id, type, function, queue, state, due_at, timeout, attempts, max_attempts, "
    "done_at) select gen_random_uuid(), id, type, 'bench-done', 'default', 'done', due_at, 30, 1, 8, due_at "
    "from mesh.outbox",
    "insert into mesh.effects (delivery_id, name, operation, state, arguments, outcome, lease_until, started_at, "
    "finished_at) select id, 'ask', 'Llm.ask', 'done', '{}', '{\"tokens_in\": 900, \"tokens_out\": 90}', "
    "due_at, due_at, due_at from mesh.deliveries where mod(extract(epoch from due_at)::bigint, 3) = 0",
)
_DUE = """
insert into mesh.deliveries (id, event_id, type, function, queue, due_at, timeout, max_attempts)
select gen_random_uuid(), gen_random_uuid(), 'bench.due', 'bench-due', 'later' || mod(n, 4), now(), 30, 8
from generate_series(1, :due) n
"""


def idle(setting: Setting, quick: bool) -> list[Row]:
    share = 10 if quick else 1
    database, owner = _database(setting, share)
    environment = setting.environment(DATABASE_URL=database, DATABASE_OWNER_URL=owner, ROUTES_FILE=_routes(setting))
    spent = _watched(setting, environment)
    engine = engine_for(database, pool_size=2)
    runtime = Runtime(Settings.from_environment(environment), engine=engine, routes=Routes.of(functions().values()))
    house = _ms(Relay(runtime).keep_house)
    _execute(owner, (_DUE, "analyze mesh.deliveries"), due=DUE // share)
    rows = [
        Row(
            f"idle, {AUDIT_ROWS // share:,} audit rows and {DONE // share:,} done deliveries",
            spent,
            None,
            "% of a core",
            Budget(3, 1),
            "relay, worker and PostgreSQL together, a scrape every 15 s among it",
        ),
        Row("a minute's housekeeping there", house, None, "ms"),
        Row(f"which queues are due, {DUE // share:,} due", _ms(lambda: outbox.due_queues(engine)), None, "ms"),
        Row(f"how the queues stand, {DUE // share:,} due", _ms(lambda: _standing(engine)), None, "ms"),
    ]
    engine.dispose()
    return rows


def _database(setting: Setting, share: int) -> tuple[str, str]:
    """One of its own, so that nothing else that is measured carries these rows."""
    _execute(setting.owner, ("create database idle",))
    database, owner = (
        make_url(url).set(database="idle").render_as_string(hide_password=False)
        for url in (setting.database, setting.owner)
    )
    migrate(owner, database)
    _execute(owner, (*_SEED, "vacuum analyze"), audit=AUDIT_ROWS // share, done=DONE // share)
    return database, owner


def _execute(url: str, statements: tuple[str, ...], **values: int) -> None:
    engine = engine_for(url, pool_size=1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        for statement in statements:
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            db.execute(text(statement), wanted)
    engine.dispose()


def _routes(setting: Setting) -> str:
    file = setting.folder / "idle-routes.json"
    file.write_text(json.dumps(Routes.of(functions().values()).as_json()))
    return str(file)


def _watched(setting: Setting, environment: dict[str, str]) -> float:
    """Percent of a core that relay, worker and PostgreSQL take, once they have settled."""
    port = free_port()
    commands = {
        "relay": [PYTHON, "-m", "somos.cli", "relay", "--metrics-port", str(port)],
        "worker": [PYTHON, "-m", "somos.cli", "worker"],
    }
    with _running(setting, environment, commands) as (relay, worker):
        time.sleep(SETTLING_S)
        roots = [relay.pid, worker.pid, setting.postgres_pid]
        begun, before = time.monotonic(), _cpu_seconds(roots)
        while time.monotonic() - begun < WATCHED_S:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                answer.read()
            time.sleep(SCRAPED_S)
        return 100 * (_cpu_seconds(roots) - before) / (time.monotonic() - begun)


@contextmanager
def _running(
    setting: Setting, environment: dict[str, str], commands: dict[str, list[str]]
) -> Iterator[tuple[Process, Process]]:
    ready = {name: setting.folder / f"idle-{name}.ready" for name in commands}
    relay, worker = (
        process(
            commands[name],
            {**environment, "GATEWAY_URL": "http://127.0.0.1:9", "SOMOS_READY_FILE": str(ready[name])},
            setting.log(f"idle-{name}"),
        )
        for name in ("relay", "worker")
    )
    with relay as first, worker as second:
        until(lambda: all(file.exists() for file in ready.values()), 30, "relay and worker did not get ready")
        yield first, second


def _cpu_seconds(roots: list[int]) -> float:
    """Of these processes and all their children, those included that ended meanwhile."""
    ticks = 0
    for root in roots:
        for pid in family(root):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            if pid == root:
                ticks += int(fields[13]) + int(fields[14])
    return ticks / os.sysconf("SC_CLK_TCK")


def _ms(work: Callable[[], object], turns: int = 5) -> float:
    """The best of some turns: what the work costs, without what else the machine does."""
    best = float("inf")
    for _ in range(turns):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best * 1000


def _standing(engine: Engine) -> object:
    with engine.connect() as db:
        return backlogs(db, now())
