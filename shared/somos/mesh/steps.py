"""A step receives its delivery: the mesh's signature first, then the handler, then what became of it."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from werkzeug.wrappers import Request, Response

from somos.kernel.text import storable_json
from somos.mesh import bodies, clock, cloud_events
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
    """Answers 204 when the delivery is done or postponed; a problem tells the worker to try again."""
    bodies.bound(request, bodies.DELIVERY)
    raw = request.get_data()
    cloud_events.verify(runtime.settings.mesh_secret, request.headers, raw)
    type_ = request.headers["Ce-Type"]
    consumer = _find(consumers, function, type_)
    handle(runtime, consumer, dict(request.headers), raw)
    return Response(status=204)


def handle(runtime: Runtime, consumer: Consumer, headers: dict[str, str], raw: bytes) -> None:
    """Run a handler for one verified delivery."""
    ref = DeliveryRef(
        UUID(headers["Ce-Id"]),
        UUID(headers["Ce-Event"]),
        int(headers.get("Ce-Timeout", consumer.timeout)),
        int(headers["Ce-Attempt"]) if "Ce-Attempt" in headers else None,
    )
    actor = headers.get("Ce-Actor")
    with span(consumer.function, headers.get("Traceparent"), event=consumer.type) as trace:
        context = Context(
            runtime=runtime,
            principal=SYSTEM,
            function=consumer.function,
            correlation=UUID(headers["Ce-Correlation"]),
            actor_id=UUID(actor) if actor else None,
            traceparent=trace,
            delivery=ref,
        )
        token = bound.set(
            {"function": consumer.function, "delivery": ref.id, "correlation": context.correlation, "trace": trace}
        )
        try:
            consumer.handler(**_arguments(runtime, consumer, raw, context))
            if not context._wrote:
                with context.write():
                    pass
        except AlreadyDone:
            log.info("delivery_already_done")
        except Later as later:
            _postpone(runtime, context, ref, later)
        except Exception as error:
            # A provider that says when to come back is a wait, not a failure.
            wait = getattr(error, "retry_after", None)
            if getattr(error, "outcome", None) != "none" or wait is None:
                raise
            _postpone(runtime, context, ref, Later(wait, str(error)))
        finally:
            bound.reset(token)


def _arguments(runtime: Runtime, consumer: Consumer, raw: bytes, context: Context) -> dict[str, Any]:
    if consumer.model is None or consumer.takes is None:
        return {"ctx": context}
    if consumer.type.startswith("inbox."):
        raw = storable_json(raw_of(runtime, UUID(json.loads(raw)["inbox_id"])))
    event = consumer.model.model_validate_json(raw)
    return {consumer.takes: event, "ctx": context}


def _postpone(runtime: Runtime, context: Context, ref: DeliveryRef, later: Later) -> None:
    due = later.due if isinstance(later.due, datetime) else clock.now() + timedelta(seconds=later.due)
    with transaction(runtime.engine, Acting(SYSTEM, context.function)) as db:
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
