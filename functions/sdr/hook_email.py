"""What Resend reports: mail delivered, opened, bounced or complained of, and mail that came in."""

from datetime import datetime
from email.utils import parseaddr
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from somos.events.sdr import MessageApproved, PersonSuppressed, ReplyClassified, ReplyStored, StepDue
from somos.mesh import Context, webhook
from somos.modules.sdr.inbox import Arrived, take
from somos.modules.sdr.receipts import BOUNCE
from somos.modules.sdr.reporting import report_receipt
from somos.modules.sdr.silencing import silence_address
from somos.ports.email import Email

RECEIPTS = {
    "email.sent": "sent",
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
    emits=[ReplyStored, ReplyClassified, PersonSuppressed, MessageApproved, StepDue],
    calls=[Email],
)
def hook_email(event: ResendEvent, ctx: Context) -> None:
    email_id = str(event.data.get("email_id") or "")
    if not email_id:
        return
    if event.type == "email.received":
        _received(ctx, event, email_id)
        return
    detail = _detail(event)
    if event.type not in (*RECEIPTS, "email.complained") or detail == "temporary":
        return
    with ctx.write() as db:
        if event.type == "email.complained":
            for address in _receivers(event):
                silence_address(ctx, db, address, source="complaint")
            return
        at, rfc_id = event.created_at or ctx.now, event.data.get("message_id")
        report_receipt(
            ctx, db, "email", email_id, RECEIPTS[event.type], at, detail, rfc_id if isinstance(rfc_id, str) else None
        )


def _received(ctx: Context, event: ResendEvent, email_id: str) -> None:
    """The event holds no words: they are fetched first."""
    mail = ctx.once("mail", ctx.port(Email).received, email_id=email_id)
    if mail is None:
        ctx.log.warning("received-mail-gone", email_id=email_id)
        return
    name, address = parseaddr(mail.sender)
    with ctx.write() as db:
        take(
            ctx,
            db,
            Arrived(
                channel="email",
                provider_message_id=email_id,
                account=next(iter(_receivers(event)), ""),
                from_address=address,
                from_name=name,
                subject=mail.subject,
                text=mail.text,
                in_reply_to=mail.headers.get("in-reply-to"),
                headers=mail.headers,
                received_at=event.created_at or ctx.now,
            ),
        )


def _receivers(event: ResendEvent) -> list[str]:
    to = event.data.get("to")
    return [str(address) for address in to] if isinstance(to, list) else [str(to)] if to else []


def _detail(event: ResendEvent) -> str | None:
    """Why a mail did not arrive; a bounce that is not for good is only late."""
    if event.type == "email.bounced":
        bounce = event.data.get("bounce") or {}
        if bounce.get("type") == "Temporary":
            return "temporary"
        return f"{BOUNCE}: {bounce.get('message') or bounce.get('subType') or 'o endereço não existe'}"[:300]
    if event.type == "email.suppressed":
        return f"{BOUNCE}: o provedor não escreve mais a este endereço"
    if event.type == "email.failed":
        return str((event.data.get("failed") or {}).get("reason") or "O provedor não entregou a mensagem.")[:300]
    return None
