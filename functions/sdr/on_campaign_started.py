"""Want one draft for each lead of a campaign that may be written to; refuse the others with a reason.

So many leads at a time, so that nobody waits long for the people that are locked; then the rest is stated anew.
"""

from somos.events.sdr import CampaignStarted, DraftWanted
from somos.mesh import Context, topic
from somos.modules.hunter.queries import leads as hunter
from somos.modules.sdr.actions.campaigns import tell_progress
from somos.modules.sdr.actions.drafts import new_message
from somos.modules.sdr.actions.locks import lock
from somos.modules.sdr.queries.cadences import steps_of
from somos.modules.sdr.queries.campaigns import keys_of_card, reason_not_to_enrol, wanted_leads
from somos.modules.sdr.tables import Enrolment, OutreachCampaign, Sender

AT_ONCE = 100


@topic(CampaignStarted, timeout=60)
def on_campaign_started(event: CampaignStarted, ctx: Context) -> None:
    secret = ctx.settings.suppression_key
    with ctx.write() as db:
        wanted = wanted_leads(db, event.campaign_id, AT_ONCE)
        cards = hunter.lead_cards(db, [lead.lead_id for lead in wanted])
        lock(db, [key for card in cards.values() for key in keys_of_card(card, secret)])
        campaign = db.get_one(OutreachCampaign, event.campaign_id, with_for_update=True)
        sender = db.get_one(Sender, campaign.sender_id)
        first = next(iter(steps_of(db, campaign.cadence_version_id)), None)
        for lead in wanted:
            card = cards.get(lead.lead_id)
            if card is None or (reason := reason_not_to_enrol(db, card, campaign.channel, secret)):
                lead.state, lead.reason = "refused", reason if card else "O lead não existe."
                continue
            lead.state = "drafting"
            message = new_message(card, sender, secret, campaign_id=campaign.id, step_no=1)
            message.instruction = campaign.instruction or (first.instruction if first else None)
            enrolment = Enrolment(
                campaign_id=campaign.id,
                cadence_version_id=campaign.cadence_version_id,
                lead_id=card.id,
                phone_key=message.phone_key,
                email_key=message.email_key,
            )
            db.add(enrolment)
            db.flush()
            message.enrolment_id = enrolment.id
            db.add(message)
            db.flush()
            ctx.emit(DraftWanted(message_id=message.id))
        db.flush()
        tell_progress(ctx, db, campaign)
        if len(wanted) == AT_ONCE:
            ctx.emit(CampaignStarted(campaign_id=event.campaign_id, task_id=event.task_id))
