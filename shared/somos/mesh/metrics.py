"""How the mesh stands, for Prometheus: read from PostgreSQL when asked, because the truth is there."""

from collections.abc import Iterator
from datetime import datetime
from math import inf
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from somos.mesh import clock, heartbeats
from somos.mesh.backlog import Backlog, backlogs
from somos.mesh.database import atomically
from somos.mesh.runtime import Runtime

_EFFECTS = text("""
select operation, state, count(*) as count from mesh.effects where state <> 'done' and state <> 'settled'
group by 1, 2
""")
_TOKENS = text("""
select operation, coalesce(sum(cast(outcome ->> 'tokens_in' as bigint)), 0)
       + coalesce(sum(cast(outcome ->> 'tokens_out' as bigint)), 0) as tokens
from mesh.effects
where state = 'done' and outcome ? 'tokens_in' and finished_at > cast(:now as timestamptz) - interval '1 hour'
group by operation
""")
_UNSEALED = text("select count(*) from mesh.audit_unsealed")
# What a provider's state counts as; one never asked yet is no alarm.
_DOWN = ("down", "not-configured", "webhooks-refused")


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
                now = clock.now()
                queues = backlogs(connection, now)
                effects = connection.execute(_EFFECTS).all()
                tokens = connection.execute(_TOKENS, {"now": now}).all()
                unsealed = connection.execute(_UNSEALED).scalar_one()
                seen = heartbeats.last_seen(connection)
        except SQLAlchemyError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _queues(queues, now)
        yield _family("somos_effects", "Outside calls not settled", ("operation", "state"), effects)
        yield _family("somos_model_tokens_last_hour", "Tokens of model calls", ("operation",), tokens)
        yield _family("somos_audit_unsealed", "Audit rows without a seal yet", (), [(unsealed,)])
        silences = [(part, (now - at).total_seconds() if at else inf) for part, at in seen.items()]
        yield _family("somos_part_silent_seconds", "Since a part of the relay last did its work", ("part",), silences)
        health = [(one["provider"], one["state"] not in _DOWN) for one in self._runtime.wiring.health()]
        yield _family("somos_integration_up", "Whether a provider can be asked", ("provider",), health)


def _queues(queues: list[Backlog], now: datetime) -> Iterator[Metric]:
    ages = [(one.queue, (now - one.oldest_due_at).total_seconds() if one.oldest_due_at else 0) for one in queues]
    for metric, what, rows in (
        ("somos_deliveries_waiting", "Not done yet, due or later", [(one.queue, one.waiting) for one in queues]),
        ("somos_deliveries_due", "To be tried now", [(one.queue, one.due) for one in queues]),
        ("somos_deliveries_dead", "Given up; a person decides", [(one.queue, one.dead) for one in queues]),
        ("somos_deliveries_oldest_due_seconds", "Age of the oldest due", ages),
    ):
        yield _family(metric, what, ("queue",), rows)


def _family(name: str, what: str, labels: tuple[str, ...], rows: Any) -> Metric:
    family = GaugeMetricFamily(name, what, labels=labels)
    for row in rows:
        family.add_metric([str(label) for label in row[:-1]], float(row[-1]))
    return family
