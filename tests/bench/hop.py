"""One hop of an event on an idle mesh: from the commit that states it to the first line of its consumer."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session

from somos.mesh.ids import uuid7
from tests.bench.celery import Celery
from tests.bench.leads.facts import Probed
from tests.bench.mesh import Mesh, running_mesh
from tests.bench.rows import Budget, Row
from tests.bench.setting import Setting, until

PAUSE_S = 0.06


def hop(setting: Setting, quick: bool) -> list[Row]:
    probes = 40 if quick else 150
    with running_mesh(setting) as mesh:
        ours = _measure(mesh, probes, lambda probe: _state(mesh, probe))
        celery = Celery(setting)
        celery.forget()
        with celery.worker():
            peer = _measure(mesh, probes, lambda probe: _send(celery, probe))
    row = Row(
        "event hop, commit to start, p50 idle",
        statistics.median(ours),
        statistics.median(peer),
        "ms",
        Budget(30, 8),
        f"p95 ours {_p95(ours):.1f} ms, peer (Celery, after its commit) {_p95(peer):.1f} ms",
    )
    return [row]


def _measure(mesh: Mesh, probes: int, say: Callable[[UUID], float]) -> list[float]:
    """Milliseconds of each probe, one at a time; the first few warm up."""
    spent = []
    for number in range(probes + 5):
        probe = uuid7()
        said = say(probe)
        until(lambda: _began(mesh, probe) is not None, 30, "the consumer did not start", pause=0.01)  # noqa: B023
        if number >= 5:
            spent.append((float(_began(mesh, probe) or 0) - said) * 1000)
        time.sleep(PAUSE_S)
    return spent


def _began(mesh: Mesh, probe: UUID) -> float | None:
    found = mesh.rows("select at from bench.starts where probe_id = :probe", probe=probe)
    return found[0].at if found else None


def _state(mesh: Mesh, probe: UUID) -> float:
    """Emit as a function does; when the commit came back."""
    with noting_commits() as committed, mesh.stating(Probed) as ctx:
        ctx.emit(Probed(probe_id=probe))
    return committed[0]


@contextmanager
def noting_commits() -> Iterator[list[float]]:
    """When each commit of this process came back, by the clock all processes share."""
    committed: list[float] = []

    def note(_: Session) -> None:
        committed.append(time.monotonic())

    event.listen(Session, "after_commit", note)
    try:
        yield committed
    finally:
        event.remove(Session, "after_commit", note)


def _send(celery: Celery, probe: UUID) -> float:
    said = time.monotonic()
    celery.send("probed", str(probe))
    return said


def _p95(spent: list[float]) -> float:
    return statistics.quantiles(spent, n=20)[18]
