"""Webhooks come in: verified over the raw bytes, stored once, answered 200; the work happens later."""

import hashlib
import json
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.wrappers import Request, Response

from somos.mesh import bodies, clock, outbox
from somos.mesh.database import Acting, transaction
from somos.mesh.declare import Webhook
from somos.mesh.ids import uuid7
from somos.mesh.log import log
from somos.mesh.runtime import Runtime
from somos.policy.principals import SYSTEM
from somos.storable import storable_json

# Signatures and tokens are checked here and never stored.
_KEPT_HEADERS = ("Content-Type", "User-Agent", "Svix-Id", "Svix-Timestamp", "X-Event-Type", "X-Instance-Name")

_KEEP = text("""
insert into mesh.inbox (id, function, provider, dedupe, headers, raw, digest, received_at)
values (:id, :function, :provider, :dedupe, cast(:headers as jsonb), :raw, :digest, :now)
on conflict (function, dedupe) do nothing
""")


def take_in(runtime: Runtime, hook: Webhook, request: Request) -> Response:
    """Answer a provider. A repeated event is 200 and nothing else; one with another body is flagged."""
    bodies.bound(request, hook.max_bytes)
    raw = request.get_data()
    sender = runtime.wiring.webhook_sender(hook.signed_by)
    sender.verify(request.headers, raw)
    digest = hashlib.sha256(raw).hexdigest()
    try:
        dedupe = sender.dedupe(request.headers, json.loads(storable_json(raw)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # Not what the provider documents: kept all the same, for a person to look at.
        dedupe = f"raw:{digest}"
    id = uuid7()
    with transaction(runtime.engine, Acting(SYSTEM, hook.function, id)) as db:
        made = db.execute(
            _KEEP,
            {
                "id": id,
                "function": hook.function,
                "provider": hook.signed_by,
                "dedupe": dedupe,
                "headers": json.dumps({n: request.headers[n] for n in _KEPT_HEADERS if n in request.headers}),
                "raw": raw,
                "digest": digest,
                "now": clock.now(),
            },
        )
        if outbox.changed(made):
            cause = outbox.Cause(id, None, None, hook.function)
            outbox.write(db, [outbox.row(f"inbox.{hook.function}", {"inbox_id": str(id)}, cause)])
        else:
            _flag_if_altered(db, hook.function, dedupe, digest)
    if outbox.changed(made):
        runtime.bell.ring([hook.consumer.queue])
    return Response('{"ok":true}', 200, mimetype="application/json")


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
        log.warning("webhook-altered", function=function, dedupe=dedupe)
