"""Campaigns: who goes through their first step, and how far the drafting is."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from somos.mesh import Context
from somos.modules.hunter.queries.leads import LeadCard
from somos.modules.sdr.actions.drafts import new_message
from somos.modules.sdr.queries.cadences import steps_of
from somos.modules.sdr.tables import CampaignLead, Enrolment, OutreachCampaign, OutreachMessage, Sender


def enrol(db: Session, campaign: OutreachCampaign, cards: Sequence[LeadCard], secret: str) -> list[OutreachMessage]:
    """Each lead's enrolment, and the empty message of its first step."""
    sender = db.get_one(Sender, campaign.sender_id)
    first = next(iter(steps_of(db, campaign.cadence_version_id)), None)
    messages = []
    for card in cards:
        message = new_message(card, sender, secret, campaign_id=campaign.id, step_no=1)
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
    db.add_all(enrolments)
    db.flush()
    for message, enrolment in zip(messages, enrolments, strict=True):
        message.enrolment_id = enrolment.id
    db.add_all(messages)
    db.flush()
    return messages


def settle_lead(ctx: Context, db: Session, campaign_id: UUID, lead_id: UUID, reason: str | None = None) -> None:
    """One lead is drafted, or refused with a reason; the last one finishes the campaign's task."""
    # One counts at a time; rows that point at the campaign may be written meanwhile, by those who count next.
    campaign = db.get_one(OutreachCampaign, campaign_id, with_for_update={"key_share": True})
    lead = db.scalars(
        select(CampaignLead).where(CampaignLead.campaign_id == campaign_id, CampaignLead.lead_id == lead_id)
    ).one_or_none()
    if lead is not None and lead.state in ("wanted", "drafting"):
        lead.state, lead.reason = ("refused", reason) if reason else ("drafted", None)
        db.flush()
    tell_progress(ctx, db, campaign)


def tell_progress(ctx: Context, db: Session, campaign: OutreachCampaign) -> None:
    """Counters of the task that the person waits for; when no lead is pending, its result."""
    if campaign.task_id is None:
        return
    by_state = select(CampaignLead.state, func.count().label("leads")).where(CampaignLead.campaign_id == campaign.id)
    counts = {row.state: row.leads for row in db.execute(by_state.group_by(CampaignLead.state))}
    counters = {
        "leads": sum(counts.values()),
        "drafted": counts.get("drafted", 0),
        "refused": counts.get("refused", 0),
    }
    ctx.progress(campaign.task_id, **counters)
    if not counts.get("wanted") and not counts.get("drafting"):
        ctx.finish_task(campaign.task_id, {"campaign_id": str(campaign.id), **counters})
