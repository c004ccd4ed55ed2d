"""What people wrote to us: how it is read, whose it is, and what it says of the days to come."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from somos.modules.hunter.queries import leads as hunter
from somos.modules.sdr.queries.drafts import prompt_text
from somos.modules.sdr.queries.messages import last_message, last_message_to
from somos.modules.sdr.queries.people import WROTE, values_of_person
from somos.modules.sdr.rules.absence import away_until, day_after
from somos.modules.sdr.rules.inbound import MACHINE, Inbound, Label
from somos.modules.sdr.rules.windows import DEFAULT_ZONE, local_date
from somos.modules.sdr.tables.approvals import Approval
from somos.modules.sdr.tables.campaigns import OutreachCampaign
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.responses import Response
from somos.ports.llm import Prompt, section


@dataclass(frozen=True, slots=True)
class Arrived:
    """One inbound message as a provider gives it; `edits` is the stored one that this is a later text of."""

    channel: str
    provider_message_id: str
    account: str
    from_address: str
    text: str
    received_at: datetime
    from_name: str | None = None
    jid: str | None = None
    lid: str | None = None
    subject: str | None = None
    answered_ids: tuple[str, ...] = ()
    headers: dict[str, Any] = field(default_factory=dict)
    pulled: bool = False
    unread: bool = False  # only that it came is known: its words could not be fetched
    readable: bool = True  # False: it will never be known here what was said, only on the phone
    kind: Literal["message", "reaction", "deletion"] = "message"
    edits: UUID | None = None


def as_inbound(response: Response) -> Inbound:
    """The stored message as the rules read it."""
    return Inbound(response.channel, response.from_address, response.text, response.subject or "", response.headers)


def last_written(db: Session, lead_id: UUID, channel: str | None) -> Response | None:
    """What a person of this lead last wrote on a channel, or anywhere; machines do not count."""
    wrote = select(Response).where(
        Response.lead_id == lead_id,
        Response.kind == "message",
        Response.label.is_(None) | Response.label.not_in(MACHINE),
        Response.erased_at.is_(None),
    )
    if channel is not None:
        wrote = wrote.where(Response.channel == channel)
    return db.scalars(wrote.order_by(Response.received_at.desc(), Response.id.desc()).limit(1)).first()


class ReplyClassification(BaseModel):
    """What the model makes of an answer."""

    model_config = ConfigDict(extra="forbid")

    label: Label
    confidence: float = Field(ge=0, le=1)
    quote: str
    later_date: str | None = None


# What a model that refuses to read is taken to have said: a person reads it.
NOTHING_SAID = ReplyClassification(label="unclear", confidence=0.0, quote="")


def date_of(text: str | None) -> date | None:
    """The date that the model read, when it is one."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def question_for_model(db: Session, response_id: UUID, today: date) -> Prompt | None:
    """What the model is asked about a matched message that nobody has classified; None when there is no need."""
    response = db.get(Response, response_id)
    if response is None or response.label is not None or response.lead_id is None or response.erased_at is not None:
        return None
    if response.state == "unread":
        return None
    words = f"{response.subject or ''}\n{as_inbound(response).parts.own}".strip()
    user = f"{section('hoje', today.isoformat())}\n{section('mensagem', words)}"
    return Prompt(name="classify_reply", system=prompt_text("classify_reply"), user=user)


def answered_message(
    db: Session, arrived: Arrived, from_key: str | None, edited: Response | None
) -> OutreachMessage | None:
    """The message that this one most likely answers: named in its headers, else the last one to that address."""
    if edited is not None and edited.message_id is not None:
        return db.get(OutreachMessage, edited.message_id)
    for named in arrived.answered_ids:
        ours = or_(OutreachMessage.rfc_id == named, OutreachMessage.provider_id == named.strip("<>"))
        if message := last_message(db, ours):
            return message
    if message := last_message_to(db, from_key, arrived.jid):
        return message
    if arrived.lid:
        # Somebody may have said of an earlier message whose it is, though no phone was ever shown beside the id.
        seen = select(Response.message_id).where(Response.lid == arrived.lid, Response.message_id.is_not(None))
        message_id = db.scalars(seen.order_by(Response.id.desc()).limit(1)).first()
        return db.get(OutreachMessage, message_id) if message_id else None
    return None


def has_unsettled(db: Session, enrolment: Enrolment) -> bool:
    """Somebody answered and nobody knows yet what it means."""
    waiting = select(Response.id).where(
        WROTE,
        Response.kind == "message",
        or_(Response.label.is_(None), Response.label == "unclear"),
        Response.state != "handled",
    )
    return db.scalars(waiting.limit(1), values_of_person(enrolment)).first() is not None


def last_day(response: Response) -> date | None:
    """The last day that a notice of absence names, in its subject or its words."""
    words = Inbound(response.channel, response.from_address, response.text).parts.own
    return away_until(f"{response.subject or ''}\n{words}", local_date(response.received_at, DEFAULT_ZONE))


@cache
def _last_away() -> Select[Any]:
    away = select(func.max(Response.later_date)).where(WROTE, Response.label == "automatic")
    return away.where(Response.later_date >= bindparam("today"))


def back_at(db: Session, row: OutreachMessage | Enrolment, zone: str, now: datetime) -> datetime | None:
    """When the person of this row is back, if their last notice says that they are away now."""
    last = db.scalar(_last_away(), {**values_of_person(row), "today": local_date(now, zone)})
    return day_after(last, zone) if last else None


def unread_envelope(db: Session, response_id: UUID) -> Arrived | None:
    """What is known of a mail without its words, unless it was read or forgotten meanwhile."""
    response = db.get(Response, response_id)
    if response is None or response.text or response.erased_at is not None:
        return None
    return Arrived(
        channel="email",
        provider_message_id=response.provider_message_id,
        account="",
        from_address=response.from_address,
        from_name=response.from_name,
        subject=response.subject,
        text="",
        received_at=response.received_at,
        unread=True,
    )


def owner_of(db: Session, response: Response) -> UUID | None:
    """Who answers for this conversation: the lead's owner, else who approved our message, else who began it."""
    card = hunter.lead_card(db, response.lead_id) if response.lead_id else None
    if card is not None and card.owner_id is not None:
        return card.owner_id
    message = db.get(OutreachMessage, response.message_id) if response.message_id else None
    approval = db.get(Approval, message.approval_id) if message and message.approval_id else None
    if approval is not None and approval.decided_by is not None:
        return approval.decided_by
    campaign = db.get(OutreachCampaign, response.campaign_id) if response.campaign_id else None
    return campaign.created_by if campaign else response.classified_by_id
