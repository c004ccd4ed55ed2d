"""A lead said yes: company, contact and deal, once, and the owner hears of it."""

from somos.events.crm import DealOpened
from somos.events.sdr import LeadAccepted
from somos.mesh import Context, topic
from somos.modules.crm.actions.deal_activities import record_message
from somos.modules.crm.actions.deals import open_from_lead
from somos.modules.hunter.queries.leads import lead_card


@topic(LeadAccepted)
def on_lead_accepted(event: LeadAccepted, ctx: Context) -> None:
    lead = ctx.read(lead_card, event.lead_id)
    if lead is None or lead.state == "erased":
        ctx.log.warning("accepted-lead-missing", lead_id=event.lead_id)
        return
    with ctx.write() as db:
        deal = open_from_lead(db, lead, event.owner_id, event.campaign_id, ctx.now)
        record_message(db, lead.id, "message_received", "Resposta positiva", event.response_id, ctx.now, event.channel)
        if deal is None:  # opened before: by another answer, or another telling of this one
            return
        ctx.emit(DealOpened(deal_id=deal.id, owner_id=deal.owner_id, lead_id=lead.id))
        ctx.notify("deal.opened", {"deal_id": str(deal.id), "lead_id": str(lead.id)}, to=event.owner_id)
