"""The map of the mesh: who answers for a path, who consumes an event. Derived from the declarations."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from somos.mesh import bodies
from somos.mesh.declare import Consumer, Function


@dataclass(frozen=True)
class Subscription:
    """One consumer of one type of event."""

    type: str
    function: str
    queue: str
    timeout: int
    attempts: int


@dataclass(frozen=True)
class Edge:
    """One public method and path, and the largest body it takes."""

    method: str
    path: str
    function: str
    max_bytes: int = bodies.JSON


@dataclass(frozen=True)
class Tick:
    """One timer."""

    function: str
    schedule: str


@dataclass(frozen=True)
class Routes:
    """What gateway, workers, relay and every emitter need to know of the others, and what each may state."""

    edges: tuple[Edge, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    ticks: tuple[Tick, ...] = ()
    emits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The types of event that a function's handlers reach; no other is taken from it."""
    queues_by_type: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, functions: Iterable[Function]) -> "Routes":
        """Derive from declared functions."""
        from somos.mesh.derive.emitted import types_emitted_by  # reads source; what a unit needs is in the file

        edges, subscriptions, ticks, emits = [], [], [], {}
        for function in functions:
            edges += [Edge(e.method, e.path, function.name, e.max_bytes) for e in function.endpoints]
            edges += [Edge("POST", path, function.name, w.max_bytes) for w in function.webhooks for path in w.paths]
            subscriptions += [_subscription(consumer) for consumer in function.consumers]
            ticks += [Tick(function.name, timer.schedule) for timer in function.timers]
            if types := types_emitted_by(function):
                emits[function.name] = types
        return cls._sorted(edges, subscriptions, ticks, emits)

    @classmethod
    def load(cls, path: str) -> "Routes":
        """Read the derived file. Raises FileNotFoundError when `somos derive` never ran."""
        raw = json.loads(Path(path).read_text())
        return cls._sorted(
            [Edge(**edge) for edge in raw["edges"]],
            [Subscription(**subscription) for subscription in raw["subscriptions"]],
            [Tick(**tick) for tick in raw["ticks"]],
            {function: tuple(types) for function, types in raw["emits"].items()},
        )

    @classmethod
    def _sorted(
        cls,
        edges: list[Edge],
        subscriptions: list[Subscription],
        ticks: list[Tick],
        emits: dict[str, tuple[str, ...]],
    ) -> "Routes":
        subscriptions = sorted(subscriptions, key=lambda s: (s.type, s.function))
        queues: dict[str, tuple[str, ...]] = {}
        for subscription in subscriptions:
            queues[subscription.type] = tuple(dict.fromkeys((*queues.get(subscription.type, ()), subscription.queue)))
        return cls(
            tuple(sorted(edges, key=lambda e: (e.path, e.method))),
            tuple(subscriptions),
            tuple(sorted(ticks, key=lambda t: t.function)),
            dict(sorted(emits.items())),
            queues,
        )

    @cached_property
    def subscribed(self) -> str:
        """The subscriptions as PostgreSQL is told of them."""
        return json.dumps(self.as_json()["subscriptions"])

    def as_json(self) -> dict[str, Any]:
        """The content of `gateway/routes.json`."""
        return {
            "edges": [_edge_json(edge) for edge in self.edges],
            "subscriptions": [asdict(subscription) for subscription in self.subscriptions],
            "ticks": [asdict(tick) for tick in self.ticks],
            "emits": self.emits,
        }


def _edge_json(edge: Edge) -> dict[str, Any]:
    fields = asdict(edge)
    if edge.max_bytes == bodies.JSON:
        del fields["max_bytes"]  # what most take is said once, in `bodies`
    return fields


def _subscription(consumer: Consumer) -> Subscription:
    return Subscription(consumer.type, consumer.function, consumer.queue.name, consumer.timeout, consumer.attempts)
