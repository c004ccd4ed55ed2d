"""Idempotency-Key: the answer of a POST is stored in its own business transaction, and given again to a twin."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import text
from werkzeug.wrappers import Request, Response

from somos.mesh.context import Context
from somos.mesh.declare import Endpoint
from somos.mesh.outbox import changed
from somos.mesh.problems import Conflict, Invalid
from somos.mesh.schemas import Upload

# What every client and proxy carries unchanged. The OpenAPI says the same words.
KEY_PATTERN = "^[!-~]+$"
KEY_LONGEST = 255

# The twin waits here on the unique key until the first commits or fails.
_TAKE = text("""
insert into mesh.idempotency (principal_id, key, fingerprint, created_at)
values (:principal_id, :key, :fingerprint, :now) on conflict do nothing
""")
_READ = text(
    "select fingerprint, status, headers, body from mesh.idempotency where principal_id = :principal_id and key = :key"
)
_KEEP = text("""
update mesh.idempotency set status = :status, headers = cast(:headers as jsonb), body = :body
where principal_id = :principal_id and key = :key
""")


def once(
    ctx: Context,
    endpoint: Endpoint,
    key: str,
    request: Request,
    upload: Upload | None,
    run: Callable[[], Response],
) -> Response:
    """Run and remember, or repeat the remembered answer. A principal's other request under its key is a conflict."""
    if len(key) > KEY_LONGEST or not re.fullmatch(KEY_PATTERN, key):
        raise Invalid(
            f"A chave deve ter de 1 a {KEY_LONGEST} caracteres visíveis, sem espaços nem acentos",
            field="Idempotency-Key",
        )
    who = {"principal_id": ctx.principal.id, "key": key}
    fingerprint = _fingerprint(endpoint, request, upload)
    if not changed(ctx.db.execute(_TAKE, {**who, "fingerprint": fingerprint, "now": ctx.now})):
        before = ctx.db.execute(_READ, who).one()
        ctx.commit()
        if before.fingerprint != fingerprint:
            raise Conflict("Esta Idempotency-Key já foi usada com outro pedido", code="key-reused")
        return Response(before.body, before.status, {**before.headers, "Idempotency-Replayed": "true"})
    response = run()
    ctx.db.execute(_KEEP, {**who, **_kept(response)})
    ctx.commit()
    return response


def _fingerprint(endpoint: Endpoint, request: Request, upload: Upload | None) -> str:
    """What was asked. A form is known by its file: its bytes have another boundary each time it is sent."""
    digest = hashlib.sha256(f"{endpoint.method} {request.full_path}\n".encode())
    if upload is not None:
        digest.update(f"{upload.content_type}\n{upload.filename or ''}\n".encode())
        digest.update(upload.content)
    else:
        digest.update(request.get_data(cache=True))
    return digest.hexdigest()


def _kept(response: Response) -> dict[str, Any]:
    names = ("Content-Type", "ETag")
    headers = {name: response.headers[name] for name in names if name in response.headers}
    return {"status": response.status_code, "headers": json.dumps(headers), "body": response.get_data()}
