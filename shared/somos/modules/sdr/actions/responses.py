"""What people write to us: stored once, matched to whom we wrote, and what it stops.

Rules settle bounces, opt-outs and automatic answers in the transaction that stores the message, so an opt-out
is in force the moment it is known. Only what the rules leave open goes to the model, and then to a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.events.sdr import MessageApproved, PersonSuppressed, ReplyClassified, ReplyStored
from somos.kernel.emails import normalise_email
from somos.kernel.keys import KeyKind
from somos.kernel.phones import normalise_phone
from somos.mesh import Context
from somos.mesh.ids import uuid7
from somos.modules.sdr.actions.bounces import report_bounces
from somos.modules.sdr.actions.enrolments import wait_until_back
from somos.modules.sdr.actions.locks import lock, lock_for, lock_ids
from somos.modules.sdr.actions.people import stop_person
from somos.modules.sdr.actions.suppressions import suppress
from somos.modules.sdr.queries.people import key_of, key_of_hidden, keys_of, keys_of_writer, written_to
from somos.modules.sdr.queries.responses import Arrived, answered_message, as_inbound, last_day
from somos.modules.sdr.rules.inbound import HUMAN, Label, Verdict, bounced, by_rules
from somos.modules.sdr.rules.own_words import own_words
from somos.modules.sdr.tables import HiddenNumber, OutreachMessage, Response, Sender

MAX_TEXT = 20_000
# Something was said that only the phone shows: a person reads it there and says what it means.
UNREADABLE = Verdict("unclear", "")


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
        erase_response(response, ctx.now)
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
    key = key_of(ctx.settings.suppression_key, kind, address) or key_of_hidden(db, arrived.lid)
    lock_ids(db, *arrived.answered_ids)
    edited = db.get(Response, arrived.edits) if arrived.edits else None
    answered = answered_message(db, arrived, key, edited)
    lock(db, keys_of_writer(db, arrived.channel, key, answered, edited.lead_id if edited else None))
    if answered is not None:
        db.refresh(answered, ["erased_at"])
    erased = answered is not None and is_part_of(answered, arrived.received_at)
    if answered is not None and answered.erased_at is not None and not erased:
        answered = None  # who it was is forgotten: they write to us as anybody may
    if answered is not None and not erased:  # of strangers nothing is kept beside what they wrote
        remember_hidden(db, arrived.lid, key, ctx.now)
    return Whose(key, address, answered, edited, erased)


def remember_hidden(db: Session, lid: str | None, phone_key: str | None, now: datetime) -> None:
    """Whose this id is; a number that changed hands takes its id along. The person is locked."""
    if not lid or not phone_key:
        return
    seen = insert(HiddenNumber).values(id=uuid7(), lid=lid, phone_key=phone_key, created_at=now, updated_at=now)
    db.execute(
        seen.on_conflict_do_update(
            index_elements=["lid"],
            set_={"phone_key": seen.excluded.phone_key, "updated_at": now},
            where=HiddenNumber.phone_key != seen.excluded.phone_key,
        )
    )


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
    person = keys_of_writer(db, response.channel, response.from_key, answered, response.lead_id)
    lock(db, person)
    response.label, response.confidence, response.quote = verdict.label, verdict.confidence, verdict.quote[:500]
    if verdict.label == "automatic" and later_date is None:
        later_date = last_day(response)
    response.later_date = later_date
    response.classified_by, response.classified_by_id, response.classified_at = by, by_id, ctx.now
    response.model = model
    response.state = "classified"
    done = Conclusion()
    if verdict.label == "bounce":
        done.cancelled = report_bounces(ctx, db, response, bounced(as_inbound(response)))
        done.released = _held_by_inbound(db, person)
    elif verdict.label == "optout":
        done.suppressed = suppress(
            db, person.items(), source="word", channel=response.channel, response_id=response.id, now=ctx.now
        )
        done.cancelled = stop_person(
            db, person, "stopped_optout", "A pessoa pediu para não receber mensagens.", ctx.now
        )
    elif verdict.label in HUMAN:
        done.cancelled = stop_person(db, person, "stopped_reply", "A pessoa respondeu.", ctx.now)
    elif verdict.label == "automatic":
        wait_until_back(db, person, later_date)
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


def lock_writer(db: Session, response_id: UUID) -> None:
    """Lock whoever wrote a stored message, before its row."""
    columns = select(Response.channel, Response.from_key, Response.message_id, Response.lead_id)
    found = db.execute(columns.where(Response.id == response_id)).first()
    if found is not None:
        answered = db.get(OutreachMessage, found.message_id) if found.message_id else None
        lock(db, keys_of_writer(db, found.channel, found.from_key, answered, found.lead_id))


def _number_of(answered: OutreachMessage | None, arrived: Arrived) -> str:
    """Where to answer somebody whose number is hidden: where we wrote to."""
    return answered.to_address if answered is not None and answered.channel == arrived.channel else ""


def _held_by_inbound(db: Session, keys: dict[str, str]) -> list[UUID]:
    """Messages that waited for somebody to say what this was."""
    waiting = select(OutreachMessage).where(
        written_to(OutreachMessage, keys), OutreachMessage.state.in_(("approved", "queued"))
    )
    found = db.scalars(waiting.with_for_update()).all()
    for message in found:
        message.due_at = None
    return [message.id for message in found]


def erase_response(answer: Response, now: datetime) -> None:
    """What it meant stays, and that it came; nobody looks at it again."""
    answer.from_address = answer.text = ""
    answer.from_name = answer.lid = answer.subject = answer.headers = answer.quote = None
    if answer.state != "handled":
        answer.state, answer.handled_at = "handled", now
    answer.erased_at = answer.erased_at or now


def is_part_of(message: OutreachMessage, received_at: datetime) -> bool:
    """Whether what was received then belongs to what was erased of this message's lead."""
    return message.erased_at is not None and received_at <= message.erased_at


def lock_with_answers(db: Session, message_id: UUID, rfc_id: str | None = None) -> list[UUID]:
    """Lock the person of a message and whoever answered it before it was known; the answers that wait for it.

    `rfc_id` is what the caller has just learnt.
    """
    m = OutreachMessage
    columns = select(m.channel, m.rfc_id, m.provider_id, m.phone_key, m.email_key, m.lead_id)
    found = db.execute(columns.where(m.id == message_id)).first()
    if found is None:
        return []
    if found.channel != "email":
        lock_for(db, message_id)
        return []
    lock_ids(db, found.provider_id)
    lock_ids(db, found.rfc_id, rfc_id)
    # As an answer writes them.
    known = [id for id in (found.provider_id and f"<{found.provider_id}>", found.rfc_id, rfc_id) if id]
    r = Response
    waiting = db.execute(
        select(r.id, r.from_key, r.lead_id).where(
            r.channel == "email", r.message_id.is_(None), r.answered_ids.overlap(known)
        )
    ).all()
    message = db.get_one(OutreachMessage, message_id)
    keys = set(keys_of(message))
    for answer in waiting:
        keys |= keys_of_writer(db, "email", answer.from_key, message, answer.lead_id).keys()
    lock(db, keys)
    return [answer.id for answer in waiting]


def match(ctx: Context, db: Session, message: OutreachMessage, answers: Iterable[UUID]) -> None:
    """Give a message the answers that waited for it; everybody is locked. What they stop is stopped now."""
    for id in answers:
        response = db.get_one(Response, id, with_for_update=True, populate_existing=True)
        if response.message_id is not None or response.lead_id not in (None, message.lead_id):
            continue  # somebody said meanwhile whose it is
        if message.erased_at is not None and not is_part_of(message, response.received_at):
            continue
        response.message_id, response.lead_id = message.id, message.lead_id
        response.campaign_id = message.campaign_id
        if message.erased_at is not None:
            erase_response(response, ctx.now)
            continue
        if response.state == "unread":
            continue  # it is understood once it is read
        if response.label is None:
            response.state = "matched"
            ctx.emit(ReplyStored(response_id=response.id))
        else:
            # Its meaning is known, but not to whom it applies.
            label = cast(Label, response.label)  # a CHECK keeps it to the known ones
            again = Verdict(label, response.quote or "", response.confidence or 1.0)
            conclude(
                ctx, db, response, again, by=response.classified_by or "rule", by_id=response.classified_by_id,
                model=response.model, later_date=response.later_date,
            )  # fmt: skip
