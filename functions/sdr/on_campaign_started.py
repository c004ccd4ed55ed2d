"""Want one draft for each lead of a campaign that may be written to; refuse the others with a reason.

So many leads at a time, so that nobody waits long for the people that are locked; then the rest is stated anew.
"""

from somos.events.sdr import CampaignStarted, DraftWanted
from somos.mesh import Context, topic
from somos.modules.hunter.queries import leads as hunter
from somos.modules.sdr.actions.campaigns import enrol, tell_progress
from somos.modules.sdr.actions.locks import lock
from somos.modules.sdr.queries.campaigns import keys_of_card, reasons_not_to_enrol, wanted_leads
from somos.modules.sdr.tables import OutreachCampaign

AT_ONCE = 100


@topic(CampaignStarted, timeout=60)
def on_campaign_started(event: CampaignStarted, ctx: Context) -> None:
    secret = ctx.settings.suppression_key
    with ctx.write() as db:
        wanted = wanted_leads(db, event.campaign_id, AT_ONCE)
        cards = hunter.lead_cards(db, [lead.lead_id for lead in wanted])
        lock(db, [key for card in cards.values() for key in keys_of_card(card, secret)])
        campaign = db.get_one(OutreachCampaign, event.campaign_id, with_for_update=True)
        refused = reasons_not_to_enrol(db, cards, campaign.channel, secret)
        for lead in wanted:
            reason = refused.get(lead.lead_id) if lead.lead_id in cards else "O lead não existe."
            lead.state, lead.reason = ("refused", reason) if reason else ("drafting", None)
        chosen = [cards[lead.lead_id] for lead in wanted if lead.state == "drafting"]
        for message in enrol(db, campaign, chosen, secret):
            ctx.emit(DraftWanted(message_id=message.id))
        tell_progress(ctx, db, campaign)
        if len(wanted) == AT_ONCE:
            ctx.emit(CampaignStarted(campaign_id=event.campaign_id, task_id=event.task_id))
