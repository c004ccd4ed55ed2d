"""Webhooks come in: verified over the raw bytes, stored once, answered 200; the work happens later."""

import hashlib
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text
from werkzeug.wrappers import Request, Response

from somos.kernel.text import storable_json
from somos.mesh import bodies, clock, refused_webhooks
from somos.mesh.database import alone
from somos.mesh.declare import Webhook
from somos.mesh.ids import uuid7
from somos.mesh.log import log
from somos.mesh.outbox import changed
from somos.mesh.problems import Invalid, TooLarge, Unauthorised
from somos.mesh.runtime import Runtime

if TYPE_CHECKING:
    from somos.ports.webhook_sender import WebhookSender

_KEPT_HEADERS = ("Content-Type", "User-Agent")

# What came, and the event of it: one statement, one commit.
_KEEP = text("""
with kept as (
    insert into mesh.inbox (id, function, provider, dedupe, headers, raw, digest, received_at)
    values (:id, :function, :provider, :dedupe, cast(:headers as jsonb), :raw, :digest, :now)
    on conflict (function, dedupe) do nothing
    returning id
)
insert into mesh.outbox (id, type, data, due_at, occurred_at, correlation, emitted_by)
select :event_id, :type, jsonb_build_object('inbox_id', kept.id), :now, :now, kept.id, :function from kept
""")
_RAW = text("select raw from mesh.inbox where id = :id")
_FLAG = text("""
update mesh.inbox set altered = true
where function = :function and dedupe = :dedupe and digest <> :digest and not altered
""")


def receive(runtime: Runtime, hook: Webhook, request: Request) -> Response:
    """Answer a provider. A repeated event is 200 and nothing else; one with another body is flagged."""
    sender = runtime.wiring.webhook_sender(hook.signed_by)
    raw = _proven(runtime, hook, sender, request)
    digest = hashlib.sha256(raw).hexdigest()
    raw = sender.slim(raw)
    try:
        dedupe = sender.dedupe(request.headers, json.loads(storable_json(raw)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # Not what the provider documents: kept all the same, for a person to look at.
        dedupe = f"raw:{digest}"
    kept = (*_KEPT_HEADERS, *sender.kept_headers)
    received = {
        "id": uuid7(),
        "event_id": uuid7(),
        "type": hook.consumer.type,
        "function": hook.function,
        "provider": hook.signed_by,
        "dedupe": dedupe,
        "headers": json.dumps({name: request.headers[name] for name in kept if name in request.headers}),
        "raw": raw,
        "digest": digest,
        "now": clock.now(),
    }
    with alone(runtime.engine) as connection:
        is_new = changed(connection.execute(_KEEP, received)) > 0
    if is_new:
        runtime.notifier.wake([hook.consumer.queue.name])
    else:
        _flag_if_altered(runtime, hook.function, dedupe, digest)
    return Response('{"ok":true}', 200, mimetype="application/json")


def _proven(runtime: Runtime, hook: Webhook, sender: "WebhookSender", request: Request) -> bytes:
    """The body of a report that is from its sender. Raises Unauthorised, and Invalid for one that is too large."""
    headers = dict(request.headers)
    try:
        sender.admit(headers)
        bodies.bound(request, hook.max_bytes)
        raw = request.get_data()
        sender.verify(headers, raw)
    except Unauthorised:
        refused_webhooks.note(runtime.redis if runtime.settings.redis_url else None, hook.signed_by)
        raise
    except TooLarge as error:
        raise too_large(hook) from error
    return raw


def too_large(hook: Webhook) -> Invalid:
    """Senders repeat what gets 413 for hours, with the same bytes; on 422 they give up."""
    log.error("webhook_too_large", provider=hook.signed_by, most=hook.max_bytes)
    return Invalid("O aviso passa do tamanho que se aceita", code="too-large")


def raw_of(engine: Any, inbox_id: UUID) -> bytes:
    """The stored bytes of one reported event."""
    with alone(engine) as connection:
        return bytes(connection.execute(_RAW, {"id": inbox_id}).scalar_one())


def _flag_if_altered(runtime: Runtime, function: str, dedupe: str, digest: str) -> None:
    with alone(runtime.engine) as connection:
        flagged = connection.execute(_FLAG, {"function": function, "dedupe": dedupe, "digest": digest})
        if changed(flagged):
            log.warning("webhook_altered", function=function, dedupe=dedupe)
