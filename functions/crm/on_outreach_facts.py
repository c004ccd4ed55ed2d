"""What outreach says of leads becomes deals, and lines of their timelines."""

from somos.events.crm import DealOpened
from somos.events.sdr import LeadAccepted, MessageSent, ReplyClassified
from somos.mesh import Context, topic
from somos.modules.crm.actions.deal_activities import record_message
from somos.modules.crm.actions.deals import open_from_lead
from somos.modules.crm.rules.timeline import REPLY_LABELS, message_title
from somos.modules.hunter.queries.leads import lead_card


@topic(LeadAccepted)
def on_lead_accepted(event: LeadAccepted, ctx: Context) -> None:
    """Company, contact and deal, once, and the owner is notified."""
    lead = ctx.read(lead_card, event.lead_id)
    if lead is None or lead.state == "erased":
        ctx.log.warning("accepted_lead_missing", lead_id=event.lead_id)
        return
    with ctx.write():
        deal = open_from_lead(ctx, lead, event.owner_id, event.campaign_id)
        record_message(ctx, lead.id, "message_received", "Resposta positiva", event.response_id, event.channel)
        if deal is None:  # opened before: by another answer, or another telling of this one
            return
        ctx.emit(DealOpened(deal_id=deal.id, owner_id=deal.owner_id, lead_id=lead.id))
        ctx.notify("deal.opened", {"deal_id": str(deal.id), "lead_id": str(lead.id)}, to=event.owner_id)


@topic(MessageSent)
def on_message_sent(event: MessageSent, ctx: Context) -> None:
    """Before there is a deal, the conversation itself keeps the message."""
    subject = message_title("message_sent", event.channel)
    with ctx.write():
        record_message(ctx, event.lead_id, "message_sent", subject, event.message_id, event.channel)


@topic(ReplyClassified)
def on_reply_classified(event: ReplyClassified, ctx: Context) -> None:
    """Automatic answers and bounces are not what a person said."""
    if event.lead_id is None or event.label not in REPLY_LABELS:
        return
    subject = f"Resposta recebida: {REPLY_LABELS[event.label]}"
    with ctx.write():
        record_message(ctx, event.lead_id, "message_received", subject, event.response_id)
