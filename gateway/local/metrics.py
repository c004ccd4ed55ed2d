"""What Prometheus reads: requests by function, and how the queues stand."""

from collections import Counter as Tally

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from somos.mesh.metrics import MeshMetrics
from somos.mesh.runtime import Runtime

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
        self._registry.register(MeshMetrics(runtime))

    def count(self, function: str, status: int, seconds: float) -> None:
        """One request was answered."""
        children = self._known.get((function, status))
        if children is None:
            children = self._requests.labels(function, str(status)), self._seconds.labels(function)
            self._known[function, status] = children
        children[0].inc()
        children[1].observe(seconds)
        self.invocations[function] += 1

    def exposition(self) -> bytes:
        return generate_latest(self._registry)
