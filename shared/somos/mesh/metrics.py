"""How the mesh stands, for Prometheus: read from PostgreSQL when asked, because the truth is there."""

from collections.abc import Iterator
from typing import Any

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
_EFFECTS = text("select operation, state, count(*) as count from mesh.effects where state <> 'done' group by 1, 2")
_TOKENS = text("""
select operation, coalesce(sum(cast(outcome ->> 'tokens_in' as bigint)), 0)
       + coalesce(sum(cast(outcome ->> 'tokens_out' as bigint)), 0) as tokens
from mesh.effects
where state = 'done' and outcome ? 'tokens_in' and finished_at > cast(:now as timestamptz) - interval '1 hour'
group by operation
""")
_UNSEALED = text("""
select count(*) from mesh.audit a where not exists (select 1 from mesh.audit_seals s where s.audit_id = a.id)
""")
# What a provider's state counts as; one never asked yet is no alarm.
_DOWN = ("down", "not-configured")


class MeshMetrics(Collector):
    """Queues, the journal, the audit chain and the outside."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("somos_database_up", "Whether PostgreSQL answers")
        try:
            with atomically(self._runtime.engine) as connection:
                at = {"now": clock.now()}
                queues = connection.execute(_QUEUES, at).mappings().all()
                effects = connection.execute(_EFFECTS).all()
                tokens = connection.execute(_TOKENS, at).all()
                unsealed = connection.execute(_UNSEALED).scalar_one()
        except SQLAlchemyError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from self._queues(queues)
        yield _family("somos_effects", "Outside calls not settled", ("operation", "state"), effects)
        yield _family("somos_model_tokens_last_hour", "Tokens of model calls", ("operation",), tokens)
        yield _family("somos_audit_unsealed", "Audit rows without a seal yet", (), [(unsealed,)])
        health = [(one["provider"], one["state"] not in _DOWN) for one in self._runtime.wiring.health()]
        yield _family("somos_integration_up", "Whether a provider can be asked", ("provider",), health)

    def _queues(self, rows: Any) -> Iterator[Metric]:
        by_queue = {row["queue"]: row for row in rows}
        names = sorted({*self._runtime.routes.queues, *by_queue})
        for metric, column, what in (
            ("somos_deliveries_waiting", "waiting", "Not done yet, due or later"),
            ("somos_deliveries_due", "due", "To be tried now"),
            ("somos_deliveries_dead", "dead", "Given up; a person decides"),
            ("somos_deliveries_oldest_due_seconds", "oldest", "Age of the oldest due"),
        ):
            found = [(name, by_queue[name][column] if name in by_queue else 0) for name in names]
            yield _family(metric, what, ("queue",), found)


def _family(name: str, what: str, labels: tuple[str, ...], rows: Any) -> Metric:
    family = GaugeMetricFamily(name, what, labels=labels)
    for row in rows:
        family.add_metric([str(label) for label in row[:-1]], float(row[-1]))
    return family
