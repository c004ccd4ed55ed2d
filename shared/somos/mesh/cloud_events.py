"""The wire between workers and functions: CloudEvents in binary or batched mode, signed by the mesh."""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from werkzeug.datastructures import Headers

from somos.mesh import clock
from somos.mesh.ids import uuid7
from somos.mesh.problems import Unauthorised

if TYPE_CHECKING:
    from somos.mesh.outbox import Claim

TOLERANCE_S = 300
# An attribute of the event, so that a broker between worker and function hands it on.
SIGNATURE = "Ce-Signature"
# Which function of a unit a delivery is for.
ADDRESSEE = "Ce-Function"
BATCH = "application/cloudevents-batch+json"

Attributes = dict[str, str]  # of one event, by their names without a prefix


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


def attributes(claim: "Claim") -> Attributes:
    """What a delivery's event says beside its data."""
    of_event = {
        "specversion": "1.0",
        "id": str(claim.id),
        "type": claim.type,
        "source": "/somos/mesh",
        "time": claim.occurred_at.isoformat(),
        "event": str(claim.event_id),
        "timeout": str(claim.timeout),
        "attempt": str(claim.attempts),
        "correlation": str(claim.correlation),
    }
    if claim.actor_id:
        of_event["actor"] = str(claim.actor_id)
    if claim.traceparent:
        of_event["traceparent"] = claim.traceparent
    return of_event


def single(secret: str, claim: "Claim") -> tuple[dict[str, str], bytes]:
    """Headers and body of one delivery, in CloudEvents' binary mode."""
    raw = _json(claim.data)
    headers = {_header(name): value for name, value in attributes(claim).items()}
    return _signed(secret, headers, claim.function, raw), raw


def batch(secret: str, claims: Sequence["Claim"]) -> tuple[dict[str, str], bytes]:
    """Headers and body of several deliveries of one function, in CloudEvents' batched mode."""
    raw = _json([{**attributes(claim), "data": claim.data} for claim in claims])
    headers = {"Ce-Id": str(uuid7()), "Ce-Type": BATCH, "Content-Type": BATCH}
    return _signed(secret, headers, claims[0].function, raw), raw


def events_of(headers: Headers, raw: bytes) -> list[tuple[Attributes, bytes]]:
    """Attributes and data of each event that was posted, in either mode."""
    if headers.get("Ce-Type") == BATCH:
        return [(event, _json(event.pop("data"))) for event in json.loads(raw)]
    return [({name.lower().removeprefix("ce-"): value for name, value in headers.items()}, raw)]


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _header(name: str) -> str:
    return "Traceparent" if name == "traceparent" else f"Ce-{name.title()}"


def _signed(secret: str, headers: dict[str, str], function: str, raw: bytes) -> dict[str, str]:
    signature = sign(secret, headers["Ce-Id"], raw)
    return {"Content-Type": "application/json", **headers, ADDRESSEE: function, SIGNATURE: signature}


def _digest(secret: str, delivery_id: str, at: str, raw: bytes) -> str:
    return hmac.new(secret.encode(), f"{delivery_id}.{at}.".encode() + raw, hashlib.sha256).hexdigest()
