"""What Resend's webhooks say, read into neutral reports."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from somos.ports.email import Arrival, BounceKind, Complaint, EmailReports, Progress, Receipt

_PROGRESS: dict[str, Progress] = {
    "email.sent": "sent",
    "email.delivery_delayed": "delayed",
    "email.delivered": "delivered",
    "email.opened": "opened",
    "email.clicked": "opened",
    "email.bounced": "bounced",
    "email.failed": "failed",
    "email.suppressed": "suppressed",
}
_KINDS: dict[str, BounceKind] = {"permanent": "permanent", "transient": "temporary", "temporary": "temporary"}


class _Event(BaseModel):
    """The envelope; `data` names the mail, and everything in it is from outside."""

    model_config = ConfigDict(extra="ignore")

    type: str
    created_at: datetime | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class ResendReports(EmailReports):
    def read(self, event: dict[str, Any]) -> Arrival | Complaint | Receipt | None:
        parsed = _Event.model_validate(event)
        email_id = str(parsed.data.get("email_id") or parsed.data.get("id") or "")
        if not email_id:
            return None
        if parsed.type == "email.received":
            return Arrival(
                email_id=email_id,
                sender=str(parsed.data.get("from") or ""),
                receivers=_receivers(parsed.data),
                subject=str(parsed.data.get("subject") or ""),
                at=parsed.created_at,
            )
        if parsed.type == "email.complained":
            return Complaint(receivers=_receivers(parsed.data))
        if parsed.type in _PROGRESS:
            return _receipt(email_id, parsed)
        return None


def _receipt(email_id: str, event: _Event) -> Receipt:
    progress, message_id = _PROGRESS[event.type], event.data.get("message_id")
    bounce = _object(event.data.get("bounce")) if progress == "bounced" else {}
    return Receipt(
        email_id=email_id,
        progress=progress,
        at=event.created_at,
        message_id=message_id if isinstance(message_id, str) else None,
        reason=_reason(progress, bounce, event.data),
        kind=_KINDS.get(str(bounce.get("type") or "").casefold(), "undetermined"),
        diagnosis=" ".join(_texts(bounce.get("diagnosticCode")) + _texts(bounce.get("message"))),
    )


def _reason(progress: Progress, bounce: dict[str, Any], data: dict[str, Any]) -> str | None:
    if progress == "bounced":
        return str(bounce.get("message") or bounce.get("subType") or "o endereço não existe")
    if progress == "suppressed":
        return "o provedor não escreve mais a este endereço"
    if progress == "failed":
        return str(_object(data.get("failed")).get("reason") or "O provedor não entregou a mensagem.")
    return None


def _receivers(data: dict[str, Any]) -> tuple[str, ...]:
    return tuple(_texts(data.get("to")))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
