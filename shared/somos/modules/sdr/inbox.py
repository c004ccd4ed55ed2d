"""What people write to us: stored once, matched to whom we wrote, and what it stops.

Rules settle bounces, opt-outs and automatic answers in the transaction that stores the message, so an opt-out
is in force the moment it is known. Only what the rules leave open goes to the model, and then to a person.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.events.sdr import MessageApproved, PersonSuppressed, ReplyClassified, ReplyStored
from somos.kernel.emails import normalise_email
from somos.kernel.keys import KeyKind
from somos.kernel.phones import normalise_phone
from somos.mesh import Context
from somos.mesh.ids import uuid7
from somos.modules.sdr import absences, bouncing, people
from somos.modules.sdr.drafting import text_of
from somos.modules.sdr.erasing import erase_answer, is_part_of
from somos.modules.sdr.rules.inbound import (
    HUMAN,
    Inbound,
    Label,
    Verdict,
    bounced,
    by_rules,
)
from somos.modules.sdr.rules.own_words import own_words
from somos.modules.sdr.stopping import stop_person
from somos.modules.sdr.tables import OutreachMessage, Response, Sender
from somos.ports.llm import Prompt, section

MAX_TEXT = 20_000


class ReplyClassification(BaseModel):
    """What the model makes of an answer."""

    model_config = ConfigDict(extra="forbid")

    label: Label
    confidence: float = Field(ge=0, le=1)
    quote: str
    later_date: str | None = None


# Something was said that only the phone shows: a person reads it there and says what it means.
UNREADABLE = Verdict("unclear", "")

# What a model that refuses to read is taken to have said: a person reads it.
NOTHING_SAID = ReplyClassification(label="unclear", confidence=0.0, quote="")


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


@dataclass(frozen=True, slots=True)
class Whose:
    """Who wrote: the key and form of their address, our message that they answer, and whether it is forgotten."""

    key: str | None
    address: str | None
    answered: OutreachMessage | None
    edited: Response | None
    erased: bool

    @property
    def lead_id(self) -> UUID | None:
        known = self.answered or self.edited
        return known.lead_id if known else None

    @property
    def campaign_id(self) -> UUID | None:
        known = self.answered or self.edited
        return known.campaign_id if known else None


@dataclass(slots=True)
class Conclusion:
    """What classifying a message changed."""

    suppressed: list[str] = field(default_factory=list)
    cancelled: int = 0
    released: list[UUID] = field(default_factory=list)


def take(ctx: Context, db: Session, arrived: Arrived) -> UUID | None:
    """Store an inbound message and let the rules settle it; None when it was stored before."""
    whose = whose_is(ctx, db, arrived)
    answered = whose.answered
    account = select(Sender.id).where(Sender.channel == arrived.channel, Sender.address == arrived.account)
    made = db.execute(
        insert(Response)
        .values(
            id=uuid7(),
            version=1,
            channel=arrived.channel,
            provider_message_id=arrived.provider_message_id,
            sender_id=db.scalars(account).first(),
            received_at=arrived.received_at,
            created_at=ctx.now,
            kind=arrived.kind,
            edits=arrived.edits,
            from_address=whose.address or arrived.from_address[:320] or _number_of(answered, arrived),
            from_key=whose.key,
            from_name=(arrived.from_name or "")[:200] or None,
            answered_ids=list(arrived.answered_ids),
            lid=arrived.lid,
            subject=(arrived.subject or "")[:500] or None,
            text=kept_text(arrived),
            headers=arrived.headers or None,
            state="unread" if arrived.unread else "matched" if whose.lead_id else "unmatched",
            lead_id=whose.lead_id,
            campaign_id=whose.campaign_id,
            message_id=answered.id if answered else None,
            pulled=arrived.pulled,
        )
        .on_conflict_do_nothing(index_elements=["channel", "provider_message_id"])
        .returning(Response.id)
    ).scalar()
    if made is None:
        return None
    response = db.get_one(Response, made)
    if whose.erased:
        erase_answer(response, ctx.now)
    elif response.kind != "message":
        response.state, response.handled_at = "handled", ctx.now
    elif arrived.unread:
        ctx.notify("reply.unread", {"response_id": response.id, "channel": response.channel}, role="Diretor")
    else:
        understand(ctx, db, response, readable=arrived.readable)
    return response.id


def whose_is(ctx: Context, db: Session, arrived: Arrived) -> Whose:
    """Who wrote and what they answer. Their person is locked: whoever is about to write to them waits for this."""
    kind: KeyKind = "email" if arrived.channel == "email" else "phone"
    address = normalise_email(arrived.from_address) if kind == "email" else normalise_phone(arrived.from_address)
    key = people.key_of(ctx.settings.suppression_key, kind, address) or people.key_of_hidden(db, arrived.lid)
    people.lock_ids(db, *arrived.answered_ids)
    edited = db.get(Response, arrived.edits) if arrived.edits else None
    answered = _answered(db, arrived, key, edited)
    people.lock(db, writer(db, arrived.channel, key, answered, edited.lead_id if edited else None))
    if answered is not None:
        db.refresh(answered, ["erased_at"])
    erased = answered is not None and is_part_of(answered, arrived.received_at)
    if answered is not None and answered.erased_at is not None and not erased:
        answered = None  # who it was is forgotten: they write to us as anybody may
    if answered is not None and not erased:  # of strangers nothing is kept beside what they wrote
        people.remember_hidden(db, arrived.lid, key, ctx.now)
    return Whose(key, address, answered, edited, erased)


def understand(ctx: Context, db: Session, response: Response, *, readable: bool = True) -> None:
    """Let the rules settle a message whose words are stored; what they leave open is for the model or a person."""
    ctx.emit(ReplyStored(response_id=response.id))
    verdict = by_rules(as_inbound(response)) if readable else UNREADABLE
    if verdict is not None:
        conclude(ctx, db, response, verdict, by="rule")
    elif response.lead_id is None:
        ctx.notify("reply.unmatched", {"response_id": response.id, "channel": response.channel}, role="Diretor")


def kept_text(arrived: Arrived) -> str:
    """What is stored of a text; of one that is too long the person's own words, wherever they stand in it."""
    if len(arrived.text) <= MAX_TEXT or arrived.channel != "email":
        return arrived.text[:MAX_TEXT]
    return (own_words(arrived.text) or arrived.text)[:MAX_TEXT]


def conclude(
    ctx: Context,
    db: Session,
    response: Response,
    verdict: Verdict,
    *,
    by: str,
    by_id: UUID | None = None,
    model: str | None = None,
    later_date: date | None = None,
) -> Conclusion:
    """Settle what a message means, and do at once what cannot wait: suppress, stop, cancel."""
    answered = db.get(OutreachMessage, response.message_id) if response.message_id else None
    person = writer(db, response.channel, response.from_key, answered, response.lead_id)
    people.lock(db, person)
    response.label, response.confidence, response.quote = verdict.label, verdict.confidence, verdict.quote[:500]
    if verdict.label == "automatic" and later_date is None:
        later_date = absences.last_day(response)
    response.later_date = later_date
    response.classified_by, response.classified_by_id, response.classified_at = by, by_id, ctx.now
    response.model = model
    response.state = "classified"
    done = Conclusion()
    if verdict.label == "bounce":
        done.cancelled = bouncing.report(ctx, db, response, bounced(as_inbound(response)))
        done.released = _held_by_inbound(db, person)
    elif verdict.label == "optout":
        done.suppressed = people.suppress(
            db, person.items(), source="word", channel=response.channel, response_id=response.id, now=ctx.now
        )
        done.cancelled = stop_person(
            db, person, "stopped_optout", "A pessoa pediu para não receber mensagens.", ctx.now
        )
    elif verdict.label in HUMAN:
        done.cancelled = stop_person(db, person, "stopped_reply", "A pessoa respondeu.", ctx.now)
    elif verdict.label == "automatic":
        absences.put_off(db, person, later_date)
        done.released = _held_by_inbound(db, person)
    db.flush()
    ctx.emit(
        ReplyClassified(response_id=response.id, lead_id=response.lead_id, label=verdict.label, later_date=later_date)
    )
    for key in done.suppressed:
        ctx.emit(PersonSuppressed(person_key=key))
    for message_id in done.released:
        ctx.emit(MessageApproved(message_id=message_id))
    return done


def as_inbound(response: Response) -> Inbound:
    """The stored message as the rules read it."""
    return Inbound(response.channel, response.from_address, response.text, response.subject or "", response.headers)


def lock_person(db: Session, response_id: UUID) -> None:
    """Lock whoever wrote a stored message, before its row."""
    columns = select(Response.channel, Response.from_key, Response.message_id, Response.lead_id)
    found = db.execute(columns.where(Response.id == response_id)).first()
    if found is not None:
        answered = db.get(OutreachMessage, found.message_id) if found.message_id else None
        people.lock(db, writer(db, found.channel, found.from_key, answered, found.lead_id))


def date_of(text: str | None) -> date | None:
    """The date that the model read, when it is one."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def to_classify(db: Session, response_id: UUID, today: date) -> Prompt | None:
    """What the model is asked about a matched message that nobody has classified; None when there is no need."""
    response = db.get(Response, response_id)
    if response is None or response.label is not None or response.lead_id is None or response.erased_at is not None:
        return None
    if response.state == "unread":
        return None
    said = f"{response.subject or ''}\n{as_inbound(response).parts.own}".strip()
    user = f"{section('hoje', today.isoformat())}\n{section('mensagem', said)}"
    return Prompt(name="classify_reply", system=text_of("classify_reply"), user=user)


def _number_of(answered: OutreachMessage | None, arrived: Arrived) -> str:
    """Where to answer somebody whose number is hidden: where we wrote to."""
    return answered.to_address if answered is not None and answered.channel == arrived.channel else ""


def _answered(db: Session, arrived: Arrived, from_key: str | None, edited: Response | None) -> OutreachMessage | None:
    """The message that this one most likely answers: named in its headers, else the last one to that address."""
    if edited is not None and edited.message_id is not None:
        return db.get(OutreachMessage, edited.message_id)
    for named in arrived.answered_ids:
        ours = or_(OutreachMessage.rfc_id == named, OutreachMessage.provider_id == named.strip("<>"))
        if found := _last(db, ours):
            return found
    if found := latest_to(db, from_key, arrived.jid):
        return found
    if arrived.lid:
        # Somebody may have said of an earlier message whose it is, though no phone was ever shown beside the id.
        seen = select(Response.message_id).where(Response.lid == arrived.lid, Response.message_id.is_not(None))
        message_id = db.scalars(seen.order_by(Response.id.desc()).limit(1)).first()
        return db.get(OutreachMessage, message_id) if message_id else None
    return None


def latest_to(db: Session, phone_or_email_key: str | None, jid: str | None) -> OutreachMessage | None:
    """What we last wrote to somebody."""
    key = phone_or_email_key
    if key and (found := _last(db, people.written_to(OutreachMessage, [key]))):
        return found
    # An account keeps the id it was opened with, whatever its number is now: it answers from where we wrote to.
    return _last(db, OutreachMessage.jid == jid) if jid else None


def _last(db: Session, condition: Any) -> OutreachMessage | None:
    found = select(OutreachMessage).where(condition)
    return db.scalars(
        found.order_by(OutreachMessage.left_at.desc().nulls_last(), OutreachMessage.id.desc()).limit(1)
    ).first()


def writer(
    db: Session, channel: str, from_key: str | None, answered: OutreachMessage | None, lead_id: UUID | None
) -> dict[str, str]:
    """Every key of whoever wrote, and its kind: the address, the person written to, and the lead's others."""
    own = [from_key] if from_key else []
    if answered is not None:
        own += people.keys_of(answered)
    known = people.known_by(db, own)
    of_leads = people.known_by_leads(db, known.leads | ({lead_id} if lead_id else set()))
    found = {from_key: "email" if channel == "email" else "phone"} if from_key else {}
    return (
        found
        | dict.fromkeys(known.phones | of_leads.phones, "phone")
        | dict.fromkeys(known.emails | of_leads.emails, "email")
    )


def _held_by_inbound(db: Session, keys: dict[str, str]) -> list[UUID]:
    """Messages that waited for somebody to say what this was."""
    waiting = select(OutreachMessage).where(
        people.written_to(OutreachMessage, keys), OutreachMessage.state.in_(("approved", "queued"))
    )
    found = db.scalars(waiting.with_for_update()).all()
    for message in found:
        message.due_at = None
    return [message.id for message in found]
