"""Campaigns: their leads are enrolled, and how far the drafting is."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from somos.events.sdr import DraftWanted
from somos.mesh import Context
from somos.modules.hunter.queries import leads as hunter
from somos.modules.hunter.queries.leads import LeadCard
from somos.modules.sdr.actions.drafts import new_message
from somos.modules.sdr.queries.cadences import steps_of
from somos.modules.sdr.queries.campaigns import keys_of_card, reasons_not_to_enrol, wanted_leads
from somos.modules.sdr.queries.people import PERSON
from somos.modules.sdr.tables.campaigns import CampaignLead, OutreachCampaign
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.senders import Sender

# Nobody waits long for the people that are locked meanwhile.
AT_ONCE = 100


def enrol_leads(ctx: Context, campaign_id: UUID) -> bool:
    """Want a draft for each lead that may be written to, and refuse the others with a reason; True when more wait."""
    secret = ctx.settings.suppression_key
    leads = wanted_leads(ctx.db, campaign_id, AT_ONCE)
    cards = hunter.lead_cards(ctx.db, [lead.lead_id for lead in leads])
    ctx.lock(PERSON, [key for card in cards.values() for key in keys_of_card(card, secret)])
    campaign = ctx.db.get_one(OutreachCampaign, campaign_id, with_for_update=True)
    refused = reasons_not_to_enrol(ctx.db, cards, campaign.channel, secret)
    for lead in leads:
        reason = refused.get(lead.lead_id) if lead.lead_id in cards else "O lead não existe."
        lead.state, lead.reason = ("refused", reason) if reason else ("drafting", None)
    for message in _enrol(ctx, campaign, [cards[lead.lead_id] for lead in leads if lead.state == "drafting"]):
        ctx.emit(DraftWanted(message_id=message.id))
    tell_progress(ctx, campaign)
    return len(leads) == AT_ONCE


def _enrol(ctx: Context, campaign: OutreachCampaign, cards: Sequence[LeadCard]) -> list[OutreachMessage]:
    """Each lead's enrolment, and the empty message of its first step."""
    sender = ctx.db.get_one(Sender, campaign.sender_id)
    first = next(iter(steps_of(ctx.db, campaign.cadence_version_id)), None)
    messages = []
    for card in cards:
        message = new_message(card, sender, ctx.settings.suppression_key, campaign_id=campaign.id, step_no=1)
        message.instruction = campaign.instruction or (first.instruction if first else None)
        messages.append(message)
    enrolments = [
        Enrolment(
            campaign_id=campaign.id,
            cadence_version_id=campaign.cadence_version_id,
            lead_id=message.lead_id,
            phone_key=message.phone_key,
            email_key=message.email_key,
        )
        for message in messages
    ]
    ctx.db.add_all(enrolments)
    ctx.db.flush()
    for message, enrolment in zip(messages, enrolments, strict=True):
        message.enrolment_id = enrolment.id
    ctx.db.add_all(messages)
    ctx.db.flush()
    return messages


def settle_lead(ctx: Context, campaign_id: UUID, lead_id: UUID, reason: str | None = None) -> None:
    """One lead is drafted, or refused with a reason; the last one finishes the campaign's task."""
    # One counts at a time; rows that point at the campaign may be written meanwhile, by those who count next.
    campaign = ctx.db.get_one(OutreachCampaign, campaign_id, with_for_update={"key_share": True})
    lead = ctx.db.scalars(
        select(CampaignLead).where(CampaignLead.campaign_id == campaign_id, CampaignLead.lead_id == lead_id)
    ).one_or_none()
    if lead is not None and lead.state in ("wanted", "drafting"):
        lead.state, lead.reason = ("refused", reason) if reason else ("drafted", None)
        ctx.db.flush()
    tell_progress(ctx, campaign)


def tell_progress(ctx: Context, campaign: OutreachCampaign) -> None:
    """Counters of the task that the person waits for; when no lead is pending, its result."""
    if campaign.task_id is None:
        return
    by_state = select(CampaignLead.state, func.count().label("leads")).where(CampaignLead.campaign_id == campaign.id)
    counts = {row.state: row.leads for row in ctx.db.execute(by_state.group_by(CampaignLead.state))}
    counters = {
        "leads": sum(counts.values()),
        "drafted": counts.get("drafted", 0),
        "refused": counts.get("refused", 0),
    }
    ctx.progress(campaign.task_id, **counters)
    if not counts.get("wanted") and not counts.get("drafting"):
        ctx.finish_task(campaign.task_id, {"campaign_id": str(campaign.id), **counters})
