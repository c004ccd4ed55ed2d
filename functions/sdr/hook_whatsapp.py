"""What WhatsApp reports: messages that came or were written on the phone, receipts of ours, connections."""

from somos.mesh import Context, webhook
from somos.modules.sdr.actions.chats import NotYetKnown, record
from somos.modules.sdr.actions.provider_reports import report_health, report_receipt, report_sent
from somos.ports.whatsapp import MessageReport, Receipt, WhatsappEvent, WhatsappReports

PATIENCE_S = 60.0
# A picture of the size that WhatsApp allows, as base64. It is not kept: only its caption is.
MAX_BYTES = 25_000_000


@webhook("/webhook/whatsapp", signed_by="evolution", calls=[WhatsappReports], max_bytes=MAX_BYTES, by_event=True)
def hook_whatsapp(event: WhatsappEvent, ctx: Context) -> None:
    event_reports = ctx.port(WhatsappReports).read(event.root)
    for word in event_reports.unknown:
        ctx.log.warning("whatsapp_word_unknown", word=word)
    try:
        with ctx.write():
            for report in event_reports.reports:
                if isinstance(report, MessageReport) and report.through_api:
                    report_sent(ctx, event_reports.account, report.message)
                elif isinstance(report, MessageReport):
                    record(ctx, event_reports.account, report.message)
                elif isinstance(report, Receipt):
                    report_receipt(ctx, "whatsapp", report.provider_id, report.receipt, ctx.now)
                else:
                    report_health(ctx, event_reports.account, report.health, report.reason)
    except NotYetKnown:
        ctx.later(PATIENCE_S, "A mensagem editada ainda não chegou.")
