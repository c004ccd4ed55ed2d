"""What Prometheus reads: requests by function, and how the queues stand."""

from collections import Counter as Tally
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from somos.mesh import clock
from somos.mesh.database import atomically
from somos.mesh.runtime import Runtime

_QUEUES = text("""
select queue, count(*) filter (where state = 'due') as waiting,
       count(*) filter (where state = 'due' and due_at <= :now) as due,
       count(*) filter (where state = 'dead') as dead,
       coalesce(extract(epoch from cast(:now as timestamptz)
                - min(due_at) filter (where state = 'due' and due_at <= :now)), 0) as oldest
from mesh.deliveries where state <> 'done' group by queue
""")
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The process's own registry, so that nothing else slips in."""

    def __init__(self, runtime: Runtime) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "somos_requests", "Requests by function and status", ["function", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "somos_request_seconds", "Time to answer", ["function"], registry=self._registry, buckets=_BUCKETS
        )
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self.invocations: Tally[str] = Tally()
        self._registry.register(_Queues(runtime))

    def count(self, function: str, status: int, seconds: float) -> None:
        """One request was answered."""
        found = self._known.get((function, status))
        if found is None:
            found = self._requests.labels(function, str(status)), self._seconds.labels(function)
            self._known[function, status] = found
        found[0].inc()
        found[1].observe(seconds)
        self.invocations[function] += 1

    def exposition(self) -> bytes:
        return generate_latest(self._registry)


class _Queues(Collector):
    """Read from PostgreSQL when asked: the truth is there."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        found = {
            "waiting": GaugeMetricFamily("somos_deliveries_waiting", "Not done yet, due or later", labels=["queue"]),
            "due": GaugeMetricFamily("somos_deliveries_due", "To be tried now", labels=["queue"]),
            "dead": GaugeMetricFamily("somos_deliveries_dead", "Given up; a person decides", labels=["queue"]),
            "oldest": GaugeMetricFamily(
                "somos_deliveries_oldest_due_seconds", "Age of the oldest due", labels=["queue"]
            ),
        }
        up = GaugeMetricFamily("somos_database_up", "Whether PostgreSQL answers")
        try:
            with atomically(self._runtime.engine) as connection:
                rows = connection.execute(_QUEUES, {"now": clock.now()}).mappings().all()
        except SQLAlchemyError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        by_queue = {row["queue"]: row for row in rows}
        for queue in sorted({*self._runtime.routes.queues, *by_queue}):
            row = by_queue.get(queue)
            for name, family in found.items():
                family.add_metric([queue], float(row[name]) if row else 0)
        yield from found.values()
