"""What Resend reports: mail delivered, opened, bounced or complained of, and mail that came in."""

from datetime import datetime
from email.utils import parseaddr
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from somos.events.sdr import MailUnread, MessageApproved, PersonSuppressed, ReplyClassified, ReplyStored, StepDue
from somos.mesh import Context, webhook
from somos.modules.sdr import reading
from somos.modules.sdr.inbox import Arrived, take
from somos.modules.sdr.receipts import BOUNCE
from somos.modules.sdr.reporting import report_receipt
from somos.modules.sdr.rules.bounces import is_dead_bounce
from somos.modules.sdr.silencing import silence_address
from somos.ports.email import Email

RECEIPTS = {
    "email.sent": "sent",
    "email.delivery_delayed": "delayed",
    "email.delivered": "delivered",
    "email.opened": "opened",
    "email.clicked": "opened",
    "email.bounced": "failed",
    "email.failed": "failed",
    "email.suppressed": "failed",
}


class ResendEvent(BaseModel):
    """The envelope; `data` names the mail, and everything in it is from outside."""

    model_config = ConfigDict(extra="ignore")

    type: str
    created_at: datetime | None = None
    data: dict[str, Any] = Field(default_factory=dict)


@webhook(
    "/webhook/email",
    signed_by="resend",
    emits=[MailUnread, ReplyStored, ReplyClassified, PersonSuppressed, MessageApproved, StepDue],
    calls=[Email],
)
def hook_email(event: ResendEvent, ctx: Context) -> None:
    email_id = str(event.data.get("email_id") or event.data.get("id") or "")
    if not email_id:
        return
    if event.type == "email.received":
        _received(ctx, event, email_id)
    elif event.type == "email.complained":
        with ctx.write() as db:
            for address in _receivers(event):
                silence_address(ctx, db, address, source="complaint")
    elif event.type in RECEIPTS:
        receipt, detail = _reported(event)
        at, rfc_id = event.created_at or ctx.now, event.data.get("message_id")
        with ctx.write() as db:
            report_receipt(ctx, db, "email", email_id, receipt, at, detail, rfc_id if isinstance(rfc_id, str) else None)


def _received(ctx: Context, event: ResendEvent, email_id: str) -> None:
    """The event holds no words: they are fetched first."""
    name, address = parseaddr(str(event.data.get("from") or ""))
    envelope = Arrived(
        channel="email",
        provider_message_id=email_id,
        account=next(iter(_receivers(event)), ""),
        from_address=address,
        from_name=name,
        subject=str(event.data.get("subject") or ""),
        text="",
        received_at=event.created_at or ctx.now,
        unread=True,
    )
    mail = reading.fetched(ctx, email_id)
    with ctx.write() as db:
        if mail is None:
            reading.keep_unread(ctx, db, envelope)
        else:
            take(ctx, db, reading.arrived(envelope, mail))


def _receivers(event: ResendEvent) -> list[str]:
    to = event.data.get("to")
    return [str(address) for address in to] if isinstance(to, list) else [str(to)] if to else []


def _reported(event: ResendEvent) -> tuple[str, str | None]:
    """The receipt, and why a mail did not arrive. One that came back for now is only late."""
    receipt = RECEIPTS[event.type]
    if event.type == "email.bounced":
        bounce = _object(event.data.get("bounce"))
        said = " ".join(_texts(bounce.get("diagnosticCode")) + _texts(bounce.get("message")))
        why = str(bounce.get("message") or bounce.get("subType") or "o endereço não existe")
        if not is_dead_bounce(str(bounce.get("type") or ""), said):
            return "delayed", why[:300]
        return receipt, f"{BOUNCE}: {why}"[:300]
    if event.type == "email.suppressed":
        return receipt, f"{BOUNCE}: o provedor não escreve mais a este endereço"
    if event.type == "email.failed":
        reason = _object(event.data.get("failed")).get("reason")
        return receipt, str(reason or "O provedor não entregou a mensagem.")[:300]
    return receipt, None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
