"""Campaigns and what they came to; a paused one holds its messages."""

from uuid import UUID

from sqlalchemy import select

from somos.events.sdr import StepDue
from somos.mesh import Conflict, Context, Page, http
from somos.modules.sdr.actions.enrolments import resume_paused
from somos.modules.sdr.actions.messages import release
from somos.modules.sdr.queries.campaigns import report
from somos.modules.sdr.rules.machines import CAMPAIGN, move
from somos.modules.sdr.schemas.campaigns import CampaignDetail, CampaignFilter, CampaignView, Pause, Refused
from somos.modules.sdr.tables import CampaignLead, OutreachCampaign, OutreachMessage


@http.get("/api/v1/outreach-campaigns", allow="sdr:read")
def campaigns_list(filter: CampaignFilter, ctx: Context) -> Page[CampaignView]:
    return ctx.page(ctx.visible(OutreachCampaign).where(*filter.clauses()), CampaignView)


@http.get("/api/v1/outreach-campaigns/{id}", allow="sdr:read")
def campaigns_get(id: UUID, ctx: Context) -> CampaignDetail:
    campaign = ctx.get(OutreachCampaign, id)
    refused = select(CampaignLead).where(CampaignLead.campaign_id == id, CampaignLead.state == "refused")
    return CampaignDetail(
        **CampaignView.model_validate(campaign).model_dump(),
        report=report(ctx.db, id),
        refusals=[Refused.model_validate(lead) for lead in ctx.db.scalars(refused.order_by(CampaignLead.id))],
    )


@http.post("/api/v1/outreach-campaigns/{id}/pause", allow="sdr:write", status=200)
def campaigns_pause(id: UUID, pause: Pause, ctx: Context) -> CampaignView:
    campaign = ctx.get(OutreachCampaign, id, lock=True)
    if campaign.state != "running":
        raise Conflict(
            "A campanha já está pausada", code="campaign-paused", fresh=CampaignView.model_validate(campaign)
        )
    campaign.state = move(CAMPAIGN, campaign.state, "paused")
    campaign.paused_reason = pause.reason
    ctx.db.flush()
    return CampaignView.model_validate(campaign)


@http.post("/api/v1/outreach-campaigns/{id}/resume", allow="outreach.approve", status=200)
def campaigns_resume(id: UUID, ctx: Context) -> CampaignView:
    campaign = ctx.get(OutreachCampaign, id, lock=True)
    if campaign.state != "paused":
        raise Conflict(
            "A campanha não está pausada", code="campaign-running", fresh=CampaignView.model_validate(campaign)
        )
    campaign.state = move(CAMPAIGN, campaign.state, "running")
    campaign.paused_reason = None
    ctx.db.flush()
    release(ctx, ctx.db, OutreachMessage.campaign_id == id)
    for enrolment in resume_paused(ctx.db, id):
        ctx.emit(StepDue(enrolment_id=enrolment.id, step_no=enrolment.step_no), after=enrolment.due_at)
    return CampaignView.model_validate(campaign)
