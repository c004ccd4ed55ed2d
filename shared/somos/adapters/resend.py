"""E-mail through Resend: sending under our key, reading, and proving that a webhook is from it (Svix)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from somos.adapters.http import Answer, ResilientClient, by_status
from somos.mesh.problems import Unavailable
from somos.ports.email import Email, ReceivedEmail, Sent
from somos.ports.errors import NotConfigured, OutsideError, QuotaExhausted, Refused, Transient
from somos.ports.webhook_sender import Unauthorised

# Resend's own words for its errors; the status alone says too little (409, 403 and 429 mean two things each).
QUOTAS = {"daily_quota_exceeded": 3600.0, "monthly_quota_exceeded": 24 * 3600.0}
OURS_TO_SET_RIGHT = {
    "missing_api_key": "key-refused",
    "restricted_api_key": "key-refused",
    "invalid_api_key": "key-refused",
    "not_found": "bad-address",
    "method_not_allowed": "bad-address",
}

TOLERANCE_S = 300
LONGEST_TIME = 12  # digits of a moment in seconds
GONE = "mail-gone"


class Resend(Email):
    def __init__(self, client: ResilientClient) -> None:
        self._client = client

    def send(
        self,
        sender: str,
        to: str,
        subject: str,
        text: str,
        key: str,
        html: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Sent:
        body: dict[str, Any] = {"from": sender, "to": [to], "subject": subject, "text": text}
        if html is not None:
            body["html"] = html
        if headers:
            body["headers"] = dict(headers)
        answer = self._client.call(
            "send",
            "keyed",
            "POST",
            "/emails",
            body=body,
            headers={"Idempotency-Key": _short(key)},
            judge=_judge,
        )
        return Sent(provider_id=answer.data["id"])

    def received(self, email_id: str) -> ReceivedEmail | None:
        try:
            answer = self._client.call(
                "received", "read", "GET", f"/emails/receiving/{quote(email_id, safe='')}", judge=_judge_received
            )
        except Refused as error:
            if error.code == GONE:
                return None
            raise
        mail = answer.object
        return ReceivedEmail(
            sender=str(mail.get("from") or ""),
            subject=str(mail.get("subject") or ""),
            text=_words(mail),
            headers=_headers(mail.get("headers")),
        )


def _words(mail: Mapping[str, Any]) -> str:
    """The text part, unless it is blank: then the words of the HTML."""
    text = str(mail.get("text") or "")
    if text.strip():
        return text
    from somos.adapters.mail_text import plain_text  # on first use: it loads a parser

    return plain_text(str(mail.get("html") or ""))


def _headers(said: Any) -> dict[str, str]:
    """By lower-case name, from an object or a list of name and value; of a header given twice, every value."""
    if isinstance(said, dict):
        pairs = [(name, value) for name, values in said.items() for value in _listed(values)]
    else:
        pairs = [(one.get("name"), one.get("value")) for one in _listed(said) if isinstance(one, dict)]
    headers: dict[str, str] = {}
    for name, value in pairs:
        if name and value is not None:
            key = str(name).lower()
            headers[key] = f"{headers[key]} {value}" if key in headers else str(value)
    return headers


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _judge_received(answer: Answer) -> OutsideError | None:
    if answer.status == 404:
        return Refused("O e-mail recebido não existe mais.", code=GONE, status=404)
    return _judge(answer)


def _short(key: str) -> str:
    """Resend takes keys of at most 256 characters."""
    return key if len(key) <= 256 else hashlib.sha256(key.encode()).hexdigest()


def _judge(answer: Answer) -> OutsideError | None:
    status, name = answer.status, str(answer.object.get("name") or "")
    if status < 300 and not isinstance(answer.object.get("id"), str):
        return answer.uncertain("O serviço de e-mail não disse qual mensagem criou.", code="malformed")
    if name in QUOTAS:
        pause = max(QUOTAS[name], answer.retry_after or 0.0)
        return QuotaExhausted("A cota de e-mails acabou.", code=name, status=status, retry_after=pause)
    if name == "concurrent_idempotent_requests":
        # Its twin is still on the way: nothing failed, and our key makes asking again safe.
        return Transient("O mesmo e-mail ainda está sendo enviado.", code=name, status=status, retry_after=1.0)
    if name in OURS_TO_SET_RIGHT:
        return NotConfigured(
            "O serviço de e-mail não aceita a configuração.", code=OURS_TO_SET_RIGHT[name], status=status
        )
    if status == 403 and name == "validation_error":
        return NotConfigured("O domínio do remetente não está verificado.", code="domain-not-verified", status=status)
    if 400 <= status < 500 and name and status not in (401, 403, 408, 429):
        return Refused("O serviço de e-mail recusou a mensagem.", code=name, status=status)
    return by_status(answer)


class ResendWebhooks:
    """Svix: HMAC-SHA256 over id, time and the raw bytes."""

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


def signing_key(secret: str) -> bytes:
    """The bytes behind `whsec_...`; empty when it is not one. Padding may be missing."""
    encoded = secret.strip().removeprefix("whsec_")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
