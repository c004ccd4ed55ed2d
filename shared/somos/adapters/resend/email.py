"""E-mail through Resend: sending under our key, and reading."""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from somos.adapters.http import Answer, ResilientClient, by_status
from somos.ports.email import Email, ReceivedEmail, Sent
from somos.ports.errors import NotConfigured, OutsideError, QuotaExhausted, Refused, Transient

# Resend's own words for its errors; the status alone says too little (409, 403 and 429 mean two things each).
QUOTAS = {"daily_quota_exceeded": 3600.0, "monthly_quota_exceeded": 24 * 3600.0}
OURS_TO_SET_RIGHT = {
    "missing_api_key": "key-refused",
    "restricted_api_key": "key-refused",
    "invalid_api_key": "key-refused",
    "not_found": "bad-address",
    "method_not_allowed": "bad-address",
}

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
    from somos.adapters.resend.mail_text import plain_text  # on first use: it loads a parser

    return plain_text(str(mail.get("html") or ""))


def _headers(listed: Any) -> dict[str, str]:
    """By lower-case name, from an object or a list of name and value; of a header given twice, every value."""
    if isinstance(listed, dict):
        pairs = [(name, value) for name, values in listed.items() for value in _listed(values)]
    else:
        pairs = [(one.get("name"), one.get("value")) for one in _listed(listed) if isinstance(one, dict)]
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
