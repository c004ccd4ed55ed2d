"""Proving that a webhook is from Resend (Svix)."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from somos.adapters.resend import signing_key
from somos.mesh.problems import Unavailable
from somos.ports.webhook_sender import Unauthorised, WebhookSender

TOLERANCE_S = 300
LONGEST_TIME = 12  # digits of a moment in seconds


class ResendWebhooks(WebhookSender):
    """Svix: HMAC-SHA256 over id, time and the raw bytes."""

    kept_headers = ("Svix-Id", "Svix-Timestamp")

    def __init__(self, secret: str, clock: Callable[[], datetime]) -> None:
        self._key, self._clock = signing_key(secret), clock

    def admit(self, headers: Mapping[str, str]) -> None:
        """Only the bytes show who it is."""

    def slim(self, raw: bytes) -> bytes:
        return raw

    def verify(self, headers: Mapping[str, str], raw: bytes) -> None:
        if not self._key:
            raise Unavailable("RESEND_WEBHOOK_SECRET não está configurado ou não é um segredo whsec_.")
        given = {name.lower(): value for name, value in headers.items()}
        id, at = given.get("svix-id", ""), given.get("svix-timestamp", "")
        if not id or not at.isdecimal() or len(at) > LONGEST_TIME:
            raise Unauthorised("Webhook de e-mail sem assinatura.")
        if abs(self._clock().timestamp() - int(at)) > TOLERANCE_S:
            raise Unauthorised("Webhook de e-mail com horário fora da tolerância.")
        mac = hmac.new(self._key, f"{id}.{at}.".encode() + raw, hashlib.sha256).digest()
        expected = base64.b64encode(mac).decode()
        signatures = [entry.partition(",") for entry in given.get("svix-signature", "").split()]
        # All are compared, so that the time taken says nothing.
        matches = [
            hmac.compare_digest(signature.encode(), expected.encode())
            for version, _, signature in signatures
            if version == "v1"
        ]
        if not any(matches):
            raise Unauthorised("Webhook de e-mail com assinatura inválida.")

    def dedupe(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> str:  # noqa: ARG002
        return {name.lower(): value for name, value in headers.items()}["svix-id"]
