"""Four steps for each of a thousand leads; then again while workers and units are killed."""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from somos.mesh.ids import uuid7
from somos.settings import ROOT
from tests.bench.celery import Celery
from tests.bench.leads.facts import Seen
from tests.bench.leads.work import STEPS
from tests.bench.mesh import Mesh, running_mesh
from tests.bench.rows import Budget, Row
from tests.bench.setting import PYTHON, Process, Setting, family, until

SEED = 20261123
KILLS = 12
PATIENCE_S = 300.0
STILL_S = 60.0  # what has not come by then, when nothing came meanwhile, is lost
LEADS = "insert into bench.leads (id) select unnest(cast(:ids as uuid[]))"
DONE = "select count(*) as effects, count(distinct (lead_id, step)) as wanted from bench.effects"


@dataclass(frozen=True)
class Outcome:
    """How long until every effect was there, how many were there more than once, and how many never came."""

    seconds: float
    wanted: int
    repeated: int
    lost: int

    @property
    def per_second(self) -> float:
        return (self.wanted - self.lost) / self.seconds


def chain(setting: Setting, quick: bool) -> list[Row]:
    leads = 200 if quick else 1000
    with running_mesh(setting) as mesh:
        celery = Celery(setting)
        _ours(mesh, 50)
        ours = _ours(mesh, leads)
        with celery.worker():
            _celerys(mesh, celery, 50)
            peer = _celerys(mesh, celery, leads)
        dbos, why = _dbos(setting, leads)
    steps = leads * len(STEPS)
    return [
        Row(
            f"chain of 4 steps x {leads} leads",
            ours.per_second,
            peer.per_second,
            "steps/s",
            Budget(0.5, 1.0, "at least", of="ratio"),
            f"{ours.seconds:.1f} s; peer: Celery, acks_late, prefork 2, {peer.seconds:.1f} s",
        ),
        Row(
            "the same, beside DBOS",
            ours.per_second,
            steps / dbos if dbos else None,
            "steps/s",
            Budget(None, 1.0, "at least", of="ratio"),
            f"{dbos:.1f} s" if dbos else f"left out: {why}",
        ),
    ]


def chain_under_kills(setting: Setting, quick: bool) -> list[Row]:
    leads = 200 if quick else 1000
    kills = 3 if quick else KILLS
    with running_mesh(setting) as mesh:
        with _killing(mesh.unit_process, mesh.worker_process, kills):
            ours = _ours(mesh, leads)
        celery = Celery(setting)
        with celery.worker() as worker, _killing(_OneOf(worker), worker, kills):
            peer = _celerys(mesh, celery, leads)
    row = Row(
        f"effects repeated under {kills} kills",
        ours.repeated,
        peer.repeated,
        "effects",
        Budget(0, 0),
        f"all {ours.wanted} there after {ours.seconds:.1f} s; Celery's {peer.wanted} after {peer.seconds:.1f} s"
        + (f", but for {peer.lost} that never came" if peer.lost else ""),
    )
    return [row]


def _ours(mesh: Mesh, leads: int) -> Outcome:
    def begin(ids: list[UUID]) -> None:
        with mesh.stating(Seen) as ctx:
            ctx.db.execute(text(LEADS), {"ids": ids})
            for id in ids:
                ctx.emit(Seen(lead_id=id))

    ran = _run(mesh, leads, begin, mesh.idle)
    if ran.lost:
        raise RuntimeError(f"{ran.lost} effects of {ran.wanted} never came")
    return ran


def _celerys(mesh: Mesh, celery: Celery, leads: int) -> Outcome:
    def begin(ids: list[UUID]) -> None:
        with mesh.runtime.engine.begin() as db:
            db.execute(text(LEADS), {"ids": ids})
        for id in ids:
            celery.send("step", str(id), 0)

    celery.forget()
    return _run(mesh, leads, begin, celery.idle)


def _run(mesh: Mesh, leads: int, begin: Callable[[list[UUID]], None], idle: Callable[[], bool]) -> Outcome:
    mesh.empty()
    wanted = leads * len(STEPS)
    started = time.monotonic()
    begin([uuid7() for _ in range(leads)])
    seen, moved = 0, started
    while seen < wanted and time.monotonic() < moved + STILL_S:
        time.sleep(0.05)
        if (now := mesh.rows(DONE)[0].wanted) > seen:
            seen, moved = now, time.monotonic()
    if seen == wanted:
        # What a killed worker had in its hands is delivered again, and shows by then.
        until(idle, PATIENCE_S, "work stayed open", pause=0.1)
    return Outcome(moved - started, wanted, mesh.rows(DONE)[0].effects - seen, wanted - seen)


def _dbos(setting: Setting, leads: int) -> tuple[float | None, str]:
    """Its seconds, or why there are none."""
    command = [PYTHON, "-m", "tests.bench.peers.dbos_leads", str(leads)]
    try:
        ran = subprocess.run(
            command, env=setting.environment(), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return None, f"not done within {PATIENCE_S:.0f} s"
    if ran.returncode:
        return None, (ran.stderr.strip().splitlines() or ["it ended early"])[-1]
    return float(json.loads(ran.stdout.strip().splitlines()[-1])["seconds"]), ""


class _OneOf:
    """One of a worker's pool processes, which its parent replaces."""

    def __init__(self, worker: Process) -> None:
        self._worker = worker

    def kill(self) -> None:
        children = family(self._worker.pid)[1:]
        if children:
            with suppress(ProcessLookupError):
                os.kill(random.choice(children), signal.SIGKILL)

    def start(self) -> None:
        """Its parent's to do."""


@contextmanager
def _killing(unit: Process | _OneOf, worker: Process, kills: int) -> Iterator[None]:
    """Kill one or the other while the block runs, at moments the seed decides; each is started again at once."""
    chance = random.Random(SEED)
    over = threading.Event()

    def go() -> None:
        for _ in range(kills):
            if over.wait(chance.uniform(0.4, 1.6)):
                return
            victim = chance.choice((unit, worker))
            victim.kill()
            victim.start()
        over.wait()  # who was started by this thread ends with it

    killer = threading.Thread(target=go)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()
