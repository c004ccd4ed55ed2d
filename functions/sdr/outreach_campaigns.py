"""Campaigns: how one is started, and what it came to; a paused one holds its messages."""

from uuid import UUID

from somos.events.sdr import CampaignStarted, StepDue
from somos.kernel.refusals import NotAllowed
from somos.mesh import Accepted, Context, Invalid, Page, http
from somos.modules.hunter.queries import leads as hunter
from somos.modules.sdr.actions.enrolments import resume_paused
from somos.modules.sdr.actions.messages import release
from somos.modules.sdr.queries.cadences import published
from somos.modules.sdr.queries.campaigns import refused_leads, report
from somos.modules.sdr.queries.senders import sender_for
from somos.modules.sdr.rules.machines import CAMPAIGN
from somos.modules.sdr.schemas.campaigns import (
    CampaignDetail,
    CampaignFilter,
    CampaignStart,
    CampaignView,
    Pause,
    Refused,
)
from somos.modules.sdr.tables.campaigns import CampaignLead, OutreachCampaign
from somos.modules.sdr.tables.messages import OutreachMessage

CHANNEL_NAMES = {"whatsapp": "WhatsApp", "email": "e-mail", "linkedin": "LinkedIn"}


@http.post("/api/v1/sdr/campaign", allow="sdr:write")
def outreach_campaigns_start(start: CampaignStart, ctx: Context) -> Accepted:
    """One draft per chosen lead, each waiting for a person's approval."""
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
    campaign = ctx.create(
        OutreachCampaign,
        name=start.name or f"{CHANNEL_NAMES[start.channel]}, {ctx.today:%d/%m/%Y}",
        channel=start.channel,
        sender_id=sender.id,
        cadence_version_id=version.id if version else None,
        created_by=ctx.principal.id,
        instruction=start.instruction,
    )
    ctx.db.add_all(CampaignLead(campaign_id=campaign.id, lead_id=lead_id) for lead_id in lead_ids)
    campaign.task_id = ctx.start_task("sdr.campaign", campaign.id)
    ctx.emit(CampaignStarted(campaign_id=campaign.id, task_id=campaign.task_id))
    return Accepted(task_id=campaign.task_id)


@http.get("/api/v1/outreach-campaigns", allow="sdr:read")
def outreach_campaigns_list(filter: CampaignFilter, ctx: Context) -> Page[CampaignView]:
    return ctx.page(ctx.visible(OutreachCampaign).where(*filter.clauses()), CampaignView)


@http.get("/api/v1/outreach-campaigns/{id}", allow="sdr:read")
def outreach_campaigns_get(id: UUID, ctx: Context) -> CampaignDetail:
    campaign = ctx.show(ctx.get(OutreachCampaign, id), CampaignView)
    refusals = [ctx.show(lead, Refused) for lead in refused_leads(ctx.db, id)]
    return CampaignDetail(**campaign.model_dump(), report=report(ctx.db, id), refusals=refusals)


@http.post("/api/v1/outreach-campaigns/{id}/pause", allow="sdr:write", status=200)
def outreach_campaigns_pause(id: UUID, pause: Pause, ctx: Context) -> CampaignView:
    campaign = ctx.get(OutreachCampaign, id, lock=True)
    if campaign.state != "running":
        raise NotAllowed("A campanha já está pausada", code="campaign-paused")
    ctx.change(campaign, state=CAMPAIGN.move(campaign.state, "paused"), paused_reason=pause.reason)
    return ctx.show(campaign, CampaignView)


@http.post("/api/v1/outreach-campaigns/{id}/resume", allow="outreach.approve", status=200)
def outreach_campaigns_resume(id: UUID, ctx: Context) -> CampaignView:
    campaign = ctx.get(OutreachCampaign, id, lock=True)
    if campaign.state != "paused":
        raise NotAllowed("A campanha não está pausada", code="campaign-running")
    ctx.change(campaign, state=CAMPAIGN.move(campaign.state, "running"), paused_reason=None)
    release(ctx, OutreachMessage.campaign_id == id)
    for enrolment in resume_paused(ctx, id):
        ctx.emit(StepDue(enrolment_id=enrolment.id, step_no=enrolment.step_no), after=enrolment.due_at)
    return ctx.show(campaign, CampaignView)
