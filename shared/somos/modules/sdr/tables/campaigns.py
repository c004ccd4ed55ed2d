"""Campaigns: the leads a person chose, the channel, and what became of each."""

from typing import get_args
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, one_of
from somos.modules.sdr.rules.machines import (
    CAMPAIGN,
)
from somos.modules.sdr.rules.words import CampaignLeadState, Channel
from somos.policy.scopes import Everyone, Via


class OutreachCampaign(Versioned, Table):
    """One choice of leads, channel and sender; with a cadence, it goes on after the first message."""

    __tablename__ = "outreach_campaigns"
    __table_args__ = (one_of("channel", get_args(Channel)), one_of("state", CAMPAIGN.states), {"schema": "sdr"})
    __scope__ = Everyone()

    name: Mapped[str]
    channel: Mapped[str]
    sender_id: Mapped[UUID] = mapped_column(ForeignKey("sdr.senders.id"))
    cadence_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("sdr.cadence_versions.id"))
    state: Mapped[str] = mapped_column(default="running")
    paused_reason: Mapped[str | None]
    task_id: Mapped[UUID | None]
    created_by: Mapped[UUID]
    instruction: Mapped[str | None]


class CampaignLead(Table):
    """One lead of a campaign: wanted, then drafted or refused with a reason."""

    __tablename__ = "campaign_leads"
    __table_args__ = (
        UniqueConstraint("campaign_id", "lead_id"),
        one_of("state", get_args(CampaignLeadState)),
        {"schema": "sdr"},
    )
    __scope__ = Via(OutreachCampaign, "campaign_id")

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey(OutreachCampaign.id, ondelete="cascade"))
    lead_id: Mapped[UUID] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(default="wanted")
    reason: Mapped[str | None]
