"""Campaigns: how one is started, and what it came to."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, OneOf, Record, View
from somos.modules.sdr.rules.machines import CAMPAIGN
from somos.modules.sdr.rules.words import Channel
from somos.modules.sdr.schemas.fields import Reason, Short
from somos.modules.sdr.tables.campaigns import OutreachCampaign

State = Annotated[str, OneOf(CAMPAIGN.states)]


class CampaignStart(Body):
    """The leads that a person chose, and how to reach them."""

    lead_ids: list[UUID] = Field(min_length=1, max_length=2000)
    channel: Channel
    sender_id: UUID | None = Field(None, description="Sem ele, o primeiro remetente ativo do canal")
    cadence_id: UUID | None = Field(None, description="Sem ela, uma única mensagem")
    name: Short | None = None
    instruction: str | None = Field(None, max_length=2000, description="O que as mensagens devem dizer ou pedir")


class CampaignFilter(Filter):
    table: ClassVar[Any] = OutreachCampaign
    sort: Literal["-id", "id"] = "-id"
    state: State | None = None
    channel: Channel | None = None
    created_by: UUID | None = None


class CampaignView(Record):
    name: str
    channel: Channel
    sender_id: UUID
    cadence_version_id: UUID | None
    state: State
    paused_reason: str | None
    task_id: UUID | None
    created_by: UUID
    created_at: datetime


class Refused(View):
    """A lead that the campaign may not write to."""

    lead_id: UUID
    reason: str


class CampaignReport(View):
    """Counts of messages, and of people for what they answered."""

    leads: int = 0
    refused: int = 0
    drafted: int = 0
    awaiting_approval: int = 0
    approved: int = 0
    edited: int = 0
    rejected: int = 0
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    failed: int = 0
    unknown: int = 0
    answered: int = 0
    positive: int = 0
    opt_out: int = 0
    tokens: int = 0


class CampaignDetail(CampaignView):
    report: CampaignReport
    refusals: list[Refused]


class Pause(Body):
    reason: Reason
