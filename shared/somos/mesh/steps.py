"""A step receives its delivery: the mesh's signature first, then the handler, then what became of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from werkzeug.wrappers import Request, Response

from somos.kernel.text import storable_json
from somos.mesh import bodies, clock, cloud_events
from somos.mesh.batch import Batch, NotTogether
from somos.mesh.cloud_events import Attributes
from somos.mesh.context import AlreadyDone, Context, DeliveryRef
from somos.mesh.database import Acting, transaction
from somos.mesh.declare import Consumer
from somos.mesh.effects import Later
from somos.mesh.log import bound, log
from somos.mesh.outbox import changed
from somos.mesh.problems import NotFound
from somos.mesh.runtime import Runtime
from somos.mesh.telemetry import span
from somos.mesh.webhooks import raw_of
from somos.policy.principals import SYSTEM

# Whoever let its lease end has no say any more: another attempt has the delivery, and its own due time. A worker of
# the code before does not say which attempt its delivery is.
_POSTPONE = text(
    "update mesh.deliveries set due_at = :due_at, attempts = greatest(attempts - 1, 0), last_error = :why "
    "where id = :id and state = 'due' and attempts = coalesce(cast(:attempt as int), attempts)"
)


def receive(
    runtime: Runtime, consumers: dict[tuple[str, str], Consumer], request: Request, function: str | None
) -> Response:
    """Answers 204 when what was delivered is done or postponed; a problem tells the worker to try again.

    Of several deliveries together either all are done, or none: then the worker posts each by itself.
    """
    bodies.bound(request, bodies.DELIVERY)
    raw = request.get_data()
    cloud_events.verify(runtime.settings.mesh_secret, request.headers, raw)
    deliveries = [
        (_find(consumers, function, attributes["type"]), attributes, data)
        for attributes, data in cloud_events.events_of(request.headers, raw)
    ]
    if request.headers["Ce-Type"] == cloud_events.BATCH:
        _handle_together(runtime, deliveries)
    else:
        handle(runtime, *deliveries[0])
    return Response(status=204)


def handle(runtime: Runtime, consumer: Consumer, attributes: Attributes, data: bytes) -> None:
    """Run a handler for one verified delivery."""
    with _context(runtime, consumer, attributes) as context:
        try:
            _run(consumer, data, context)
        except AlreadyDone:
            log.info("delivery_already_done")
        except Later as later:
            _postpone(context, later)
        except Exception as error:
            # A provider that says when to come back is a wait, not a failure.
            wait = getattr(error, "retry_after", None)
            if getattr(error, "outcome", None) != "none" or wait is None:
                raise
            _postpone(context, Later(wait, str(error)))


def _handle_together(runtime: Runtime, deliveries: list[tuple[Consumer, Attributes, bytes]]) -> None:
    """All in one transaction. Raises NotTogether when one of them fails, or has to wait."""
    module = deliveries[0][0].function.partition("-")[0]
    try:
        with Batch.begin(runtime, module, [UUID(attributes["id"]) for _, attributes, _ in deliveries]) as batch:
            for consumer, attributes, data in deliveries:
                with _context(runtime, consumer, attributes, batch) as context:
                    if UUID(attributes["id"]) in batch.open:
                        _run(consumer, data, context)
    except Exception as error:
        # Whoever fails alone says why; here it would be said of all.
        log.info("batch_undone", function=deliveries[0][0].function, error=type(error).__name__)
        raise NotTogether from error


@contextmanager
def _context(
    runtime: Runtime, consumer: Consumer, attributes: Attributes, batch: Batch | None = None
) -> Iterator[Context]:
    ref = DeliveryRef(
        UUID(attributes["id"]),
        UUID(attributes["event"]),
        int(attributes.get("timeout", consumer.timeout)),
        int(attributes["attempt"]) if "attempt" in attributes else None,
    )
    actor = attributes.get("actor")
    with span(consumer.function, attributes.get("traceparent"), event=consumer.type) as trace:
        context = Context(
            runtime=runtime,
            principal=SYSTEM,
            function=consumer.function,
            correlation=UUID(attributes["correlation"]),
            actor_id=UUID(actor) if actor else None,
            traceparent=trace,
            delivery=ref,
            batch=batch,
        )
        token = bound.set(
            {"function": consumer.function, "delivery": ref.id, "correlation": context.correlation, "trace": trace}
        )
        try:
            yield context
        finally:
            bound.reset(token)


def _run(consumer: Consumer, data: bytes, context: Context) -> None:
    consumer.handler(**_arguments(consumer, data, context))
    if not context._wrote:
        with context.write():
            pass


def _arguments(consumer: Consumer, data: bytes, context: Context) -> dict[str, Any]:
    if consumer.model is None or consumer.takes is None:
        return {"ctx": context}
    if consumer.type.startswith("inbox."):
        data = storable_json(raw_of(context.engine, UUID(json.loads(data)["inbox_id"])))
    return {consumer.takes: consumer.model.model_validate_json(data), "ctx": context}


def _postpone(context: Context, later: Later) -> None:
    ref = context.delivery
    assert ref is not None
    due = later.due if isinstance(later.due, datetime) else clock.now() + timedelta(seconds=later.due)
    with transaction(context.runtime.engine, Acting(SYSTEM, context.function)) as db:
        postponed = db.execute(
            _POSTPONE, {"id": ref.id, "attempt": ref.attempt, "due_at": due, "why": str(later)[:2000]}
        )
    if changed(postponed):
        log.info("delivery_postponed", until=due, why=str(later))
    else:
        log.info("delivery_not_postponed", why="done, or in the hands of a later attempt")


def _find(consumers: dict[tuple[str, str], Consumer], function: str | None, type_: str) -> Consumer:
    if function is not None:
        consumer = consumers.get((function, type_))
    else:
        consumer = next((c for (_, known), c in consumers.items() if known == type_), None)
    if consumer is None:
        raise NotFound(f"Nenhuma função daqui consome {type_}")
    return consumer
