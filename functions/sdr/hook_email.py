"""What is reported of e-mail: delivered, opened, bounced or complained of, and mail that came in."""

from email.utils import parseaddr

from somos.mesh import Context, webhook
from somos.modules.sdr.actions.mails import arrived, fetched, keep_unread
from somos.modules.sdr.actions.people import silence_address
from somos.modules.sdr.actions.provider_reports import report_receipt
from somos.modules.sdr.actions.receipts import BOUNCE
from somos.modules.sdr.actions.responses import receive
from somos.modules.sdr.queries.responses import Arrived
from somos.modules.sdr.rules.bounces import is_dead_bounce
from somos.ports.email import Arrival, Complaint, Email, EmailEvent, EmailReports, Receipt


@webhook("/webhook/email", signed_by="resend", calls=[Email, EmailReports])
def hook_email(event: EmailEvent, ctx: Context) -> None:
    report = ctx.port(EmailReports).read(event.root)
    if isinstance(report, Arrival):
        _received(ctx, report)
    elif isinstance(report, Complaint):
        with ctx.write():
            for address in report.receivers:
                silence_address(ctx, address, source="complaint")
    elif isinstance(report, Receipt):
        receipt, detail = _reported(report)
        with ctx.write():
            report_receipt(ctx, "email", report.email_id, receipt, report.at or ctx.now, detail, report.message_id)


def _received(ctx: Context, arrival: Arrival) -> None:
    """The event holds no words: they are fetched first."""
    name, address = parseaddr(arrival.sender)
    envelope = Arrived(
        channel="email",
        provider_message_id=arrival.email_id,
        account=next(iter(arrival.receivers), ""),
        from_address=address,
        from_name=name,
        subject=arrival.subject,
        text="",
        received_at=arrival.at or ctx.now,
        unread=True,
    )
    mail = fetched(ctx, arrival.email_id)
    with ctx.write():
        if mail is None:
            keep_unread(ctx, envelope)
        else:
            receive(ctx, arrived(envelope, mail))


def _reported(receipt: Receipt) -> tuple[str, str | None]:
    """The receipt, and why a mail did not arrive. One that came back for now is only late."""
    reason = receipt.reason and receipt.reason[:300]
    if receipt.progress == "bounced" and not is_dead_bounce(receipt.kind, receipt.diagnosis):
        return "delayed", reason
    if receipt.progress in ("bounced", "suppressed"):
        return "failed", f"{BOUNCE}: {reason}"[:300]
    return receipt.progress, reason
