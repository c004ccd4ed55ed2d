"""Start a campaign: one draft per chosen lead, each waiting for a person's approval."""

from somos.events.sdr import CampaignStarted
from somos.mesh import Accepted, Context, Invalid, http
from somos.modules.hunter.queries import leads as hunter
from somos.modules.sdr.queries.cadences import published
from somos.modules.sdr.queries.senders import sender_for
from somos.modules.sdr.schemas.campaigns import CampaignStart
from somos.modules.sdr.tables import CampaignLead, OutreachCampaign

CHANNEL_NAMES = {"whatsapp": "WhatsApp", "email": "e-mail", "linkedin": "LinkedIn"}


@http.post("/api/v1/sdr/campaign", allow="sdr:write")
def campaign_start(start: CampaignStart, ctx: Context) -> Accepted:
    lead_ids = list(dict.fromkeys(start.lead_ids))
    known = hunter.lead_states(ctx.db, lead_ids)
    if missing := [str(id) for id in lead_ids if id not in known]:
        raise Invalid(f"Leads que não existem: {', '.join(missing[:5])}", field="lead_ids")
    sender = sender_for(ctx.db, start.channel, start.sender_id)
    if sender is None:
        raise Invalid(f"Não há remetente ativo de {CHANNEL_NAMES[start.channel]}", field="sender_id")
    version = published(ctx.db, start.cadence_id) if start.cadence_id else None
    if start.cadence_id and version is None:
        raise Invalid("A cadência não existe ou ainda não foi publicada", field="cadence_id")
    campaign = OutreachCampaign(
        name=start.name or f"{CHANNEL_NAMES[start.channel]}, {ctx.today:%d/%m/%Y}",
        channel=start.channel,
        sender_id=sender.id,
        cadence_version_id=version.id if version else None,
        created_by=ctx.principal.id,
        instruction=start.instruction,
    )
    ctx.db.add(campaign)
    ctx.db.flush()
    ctx.db.add_all(CampaignLead(campaign_id=campaign.id, lead_id=lead_id) for lead_id in lead_ids)
    campaign.task_id = ctx.start_task("sdr.campaign", campaign.id)
    ctx.emit(CampaignStarted(campaign_id=campaign.id, task_id=campaign.task_id))
    return Accepted(task_id=campaign.task_id)
