"""Proving that a webhook is from our Evolution server."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from somos.adapters.evolution.media import without_media
from somos.mesh.problems import Unavailable
from somos.ports.webhook_sender import Unauthorised, WebhookSender

# Evolution signs its token once and repeats it on every retry, for about 20 minutes; it expires in 10.
# A refused retry would lose the event, so an expired token is good for this much longer.
JWT_LEEWAY_S = 1800


class EvolutionWebhooks(WebhookSender):
    """Evolution signs nothing: it repeats a header we gave it, or a token made with a secret we gave it."""

    kept_headers = ("X-Event-Type", "X-Instance-Name")

    def __init__(self, token: str, clock: Callable[[], datetime]) -> None:
        self._token, self._clock = token, clock

    def verify(self, headers: Mapping[str, str], raw: bytes) -> None:  # noqa: ARG002  (the bytes are not signed)
        self.admit(headers)

    def slim(self, raw: bytes) -> bytes:
        return without_media(raw)

    def admit(self, headers: Mapping[str, str]) -> None:
        if not self._token:
            raise Unavailable("EVOLUTION_WEBHOOK_TOKEN não está configurado.")
        given = {name.lower(): value for name, value in headers.items()}
        scheme, _, bearer = given.get("authorization", "").partition(" ")
        shown = bearer.strip() if scheme.lower() == "bearer" else ""
        shown = shown or given.get("x-webhook-token", "")
        if hmac.compare_digest(shown.encode(), self._token.encode()):
            return
        if shown.count(".") == 2 and self._signed_by_us(shown):
            return
        raise Unauthorised("Webhook do WhatsApp sem o token combinado.")

    def dedupe(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> str:  # noqa: ARG002
        event, instance, data = payload["event"], payload["instance"], payload["data"]
        if isinstance(data, Mapping):
            key = data.get("key")
            id = data.get("keyId") or (key.get("id") if isinstance(key, Mapping) else None)
            if id:
                # One message is edited twice, or comes again decrypted, under the id it had.
                content = data.get("message") or data.get("editedMessage")
                return f"{instance}:{event}:{id}:{data.get('status') or ''}{_digest(content) if content else ''}"
        # Connection changes and the like name no message. A retry repeats the same words at the same time.
        return f"{instance}:{event}:{_digest([payload.get('date_time'), data])}"

    def _signed_by_us(self, token: str) -> bool:
        import jwt  # on first use

        try:
            claims = jwt.decode(
                token,
                self._token,
                algorithms=["HS256"],
                # The time is judged below, by our own clock.
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            expires = float(claims["exp"])
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, RecursionError, OverflowError):
            return False
        in_time = self._clock().timestamp() < expires + JWT_LEEWAY_S
        return in_time and claims.get("app") == "evolution" and claims.get("action") == "webhook"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
