"""Webhooks come in: verified over the raw bytes, stored once, answered 200; the work happens later."""

import hashlib
import json
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.wrappers import Request, Response

from somos.kernel.text import storable_json
from somos.mesh import bodies, clock, outbox, refused_webhooks
from somos.mesh.database import Acting, transaction
from somos.mesh.declare import Webhook
from somos.mesh.ids import uuid7
from somos.mesh.log import log
from somos.mesh.problems import Invalid, TooLarge, Unauthorised
from somos.mesh.runtime import Runtime
from somos.policy.principals import SYSTEM

if TYPE_CHECKING:
    from somos.ports.webhook_sender import WebhookSender

_KEPT_HEADERS = ("Content-Type", "User-Agent")

_KEEP = text("""
insert into mesh.inbox (id, function, provider, dedupe, headers, raw, digest, received_at)
values (:id, :function, :provider, :dedupe, cast(:headers as jsonb), :raw, :digest, :now)
on conflict (function, dedupe) do nothing
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
    id, kept = uuid7(), (*_KEPT_HEADERS, *sender.kept_headers)
    with transaction(runtime.engine, Acting(SYSTEM, hook.function, id)) as db:
        inserted = db.execute(
            _KEEP,
            {
                "id": id,
                "function": hook.function,
                "provider": hook.signed_by,
                "dedupe": dedupe,
                "headers": json.dumps({n: request.headers[n] for n in kept if n in request.headers}),
                "raw": raw,
                "digest": digest,
                "now": clock.now(),
            },
        )
        if outbox.changed(inserted):
            cause = outbox.Cause(id, None, None, hook.function)
            outbox.write(db, [outbox.row(f"inbox.{hook.function}", {"inbox_id": str(id)}, cause)])
        else:
            _flag_if_altered(db, hook.function, dedupe, digest)
    if outbox.changed(inserted):
        runtime.notifier.wake([hook.consumer.queue.name])
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


def raw_of(runtime: Runtime, function: str, inbox_id: UUID) -> bytes:
    """The stored bytes of one reported event."""
    with transaction(runtime.engine, Acting(SYSTEM, function)) as db:
        raw: bytes = db.execute(text("select raw from mesh.inbox where id = :id"), {"id": inbox_id}).scalar_one()
        return bytes(raw)


def _flag_if_altered(db: Session, function: str, dedupe: str, digest: str) -> None:
    flagged = db.execute(
        text(
            "update mesh.inbox set altered = true "
            "where function = :function and dedupe = :dedupe and digest <> :digest and not altered"
        ),
        {"function": function, "dedupe": dedupe, "digest": digest},
    )
    if outbox.changed(flagged):
        log.warning("webhook_altered", function=function, dedupe=dedupe)
