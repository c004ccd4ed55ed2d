"""The wire between workers and functions: CloudEvents in binary mode, signed by the mesh."""

import hashlib
import hmac
import re
from datetime import datetime
from uuid import UUID

from werkzeug.datastructures import Headers

from somos.mesh import clock
from somos.mesh.problems import Unauthorised

TOLERANCE_S = 300
# An attribute of the event, so that a broker between worker and function hands it on.
SIGNATURE = "Ce-Signature"
# Which function of a unit a delivery is for.
ADDRESSEE = "Ce-Function"


def sign(secret: str, delivery_id: UUID | str, raw: bytes) -> str:
    """`t=<unix seconds>,v1=<hex hmac-sha256 of "id.t.body">`."""
    at = str(int(clock.now().timestamp()))
    return f"t={at},v1={_digest(secret, str(delivery_id), at, raw)}"


def verify(secret: str, headers: Headers, raw: bytes) -> None:
    """Raises Unauthorised unless the mesh itself sent this, lately."""
    parts = dict(part.split("=", 1) for part in headers.get(SIGNATURE, "").split(",") if "=" in part)
    at, given = parts.get("t", ""), parts.get("v1", "")
    if not re.fullmatch(r"[0-9]{1,12}", at) or abs(clock.now().timestamp() - int(at)) > TOLERANCE_S:
        raise Unauthorised("Entrega sem assinatura válida da malha")
    # As bytes: of texts it takes ASCII only, and a header may hold anything.
    if not hmac.compare_digest(given.encode(), _digest(secret, headers.get("Ce-Id", ""), at, raw).encode()):
        raise Unauthorised("Entrega sem assinatura válida da malha")


def headers_for(
    secret: str,
    *,
    id: UUID,
    type: str,
    event_id: UUID,
    time: datetime,
    timeout: int,
    attempt: int,
    correlation: UUID,
    actor_id: UUID | None,
    traceparent: str | None,
    raw: bytes,
    function: str | None = None,
) -> dict[str, str]:
    """Headers of one delivery."""
    headers = {
        "Content-Type": "application/json",
        "Ce-Specversion": "1.0",
        "Ce-Id": str(id),
        "Ce-Type": type,
        "Ce-Source": "/somos/mesh",
        "Ce-Time": time.isoformat(),
        "Ce-Event": str(event_id),
        "Ce-Timeout": str(timeout),
        "Ce-Attempt": str(attempt),
        "Ce-Correlation": str(correlation),
        SIGNATURE: sign(secret, id, raw),
    }
    if function:
        headers[ADDRESSEE] = function
    if actor_id:
        headers["Ce-Actor"] = str(actor_id)
    if traceparent:
        headers["Traceparent"] = traceparent
    return headers


def _digest(secret: str, delivery_id: str, at: str, raw: bytes) -> str:
    return hmac.new(secret.encode(), f"{delivery_id}.{at}.".encode() + raw, hashlib.sha256).hexdigest()
