"""What people write to us: stored once, matched to whom we wrote, and what it stops.

Rules settle bounces, opt-outs and automatic answers in the transaction that stores the message, so an opt-out
is in force the moment it is known. Only what the rules leave open goes to the model, and then to a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from somos.events.sdr import MessageApproved, PersonSuppressed, ReplyClassified, ReplyStored
from somos.kernel.emails import normalise_email
from somos.kernel.keys import KeyKind
from somos.kernel.phones import normalise_phone
from somos.mesh import Context
from somos.mesh.ids import uuid7
from somos.modules.sdr.actions.bounces import report_bounces
from somos.modules.sdr.actions.enrolments import wait_until_back
from somos.modules.sdr.actions.people import stop_person
from somos.modules.sdr.actions.suppressions import suppress
from somos.modules.sdr.queries.people import (
    PERSON,
    key_of,
    key_of_hidden,
    keys_of,
    keys_of_ids,
    keys_of_writer,
    written_to,
)
from somos.modules.sdr.queries.responses import Arrived, answered_message, as_inbound, last_day
from somos.modules.sdr.rules.inbound import HUMAN, Label, Verdict, bounced, by_rules
from somos.modules.sdr.rules.own_words import own_words
from somos.modules.sdr.rules.words import Classifier
from somos.modules.sdr.tables.hidden_numbers import HiddenNumber
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.responses import Response
from somos.modules.sdr.tables.senders import Sender

MAX_TEXT = 20_000
# Something was said that only the phone shows: a person reads it there and says what it means.
UNREADABLE = Verdict("unclear", "")


@dataclass(frozen=True, slots=True)
class Writer:
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


def receive(ctx: Context, arrived: Arrived) -> UUID | None:
    """Match an inbound message, store it and let the rules settle it; None when it was stored before."""
    writer = match(ctx, arrived)
    response = store(ctx, arrived, writer)
    if response is None:
        return None
    if writer.erased:
        erase_response(response, ctx.now)
    elif response.kind != "message":
        response.state, response.handled_at = "handled", ctx.now
    elif arrived.unread:
        ctx.notify("reply.unread", {"response_id": response.id, "channel": response.channel}, role="Diretor")
    else:
        settle_by_rules(ctx, response, readable=arrived.readable)
    return response.id


def match(ctx: Context, arrived: Arrived) -> Writer:
    """Who wrote and what they answer. Their person is locked: whoever is about to write to them waits for this."""
    kind: KeyKind = "email" if arrived.channel == "email" else "phone"
    address = normalise_email(arrived.from_address) if kind == "email" else normalise_phone(arrived.from_address)
    key = key_of(ctx.settings.suppression_key, kind, address) or key_of_hidden(ctx.db, arrived.lid)
    ctx.lock(PERSON, keys_of_ids(*arrived.answered_ids))
    edited = ctx.db.get(Response, arrived.edits) if arrived.edits else None
    answered = answered_message(ctx.db, arrived, key, edited)
    ctx.lock(PERSON, keys_of_writer(ctx.db, arrived.channel, key, answered, edited.lead_id if edited else None))
    if answered is not None:
        ctx.db.refresh(answered, ["erased_at"])
    erased = answered is not None and is_part_of(answered, arrived.received_at)
    if answered is not None and answered.erased_at is not None and not erased:
        answered = None  # who it was is forgotten: they write to us as anybody may
    if answered is not None and not erased:  # of strangers nothing is kept beside what they wrote
        remember_hidden(ctx, arrived.lid, key)
    return Writer(key, address, answered, edited, erased)


def store(ctx: Context, arrived: Arrived, writer: Writer) -> Response | None:
    """The new row; None when the provider's message was stored before."""
    account = select(Sender.id).where(Sender.channel == arrived.channel, Sender.address == arrived.account)
    id = ctx.db.execute(
        insert(Response)
        .values(
            id=uuid7(),
            version=1,
            channel=arrived.channel,
            provider_message_id=arrived.provider_message_id,
            sender_id=ctx.db.scalars(account).first(),
            received_at=arrived.received_at,
            created_at=ctx.now,
            kind=arrived.kind,
            edits=arrived.edits,
            from_address=writer.address or arrived.from_address[:320] or _number_of(writer.answered, arrived),
            from_key=writer.key,
            from_name=(arrived.from_name or "")[:200] or None,
            answered_ids=list(arrived.answered_ids),
            lid=arrived.lid,
            subject=(arrived.subject or "")[:500] or None,
            text=kept_text(arrived),
            headers=arrived.headers or None,
            state="unread" if arrived.unread else "matched" if writer.lead_id else "unmatched",
            lead_id=writer.lead_id,
            campaign_id=writer.campaign_id,
            message_id=writer.answered.id if writer.answered else None,
            pulled=arrived.pulled,
        )
        .on_conflict_do_nothing(index_elements=["channel", "provider_message_id"])
        .returning(Response.id)
    ).scalar()
    return ctx.db.get_one(Response, id) if id else None


def settle_by_rules(ctx: Context, response: Response, *, readable: bool = True) -> None:
    """Settle a message whose words are stored; what the rules leave open is for the model or a person."""
    ctx.emit(ReplyStored(response_id=response.id))
    verdict = by_rules(as_inbound(response)) if readable else UNREADABLE
    if verdict is not None:
        settle(ctx, response, verdict, by="rule")
    elif response.lead_id is None:
        ctx.notify("reply.unmatched", {"response_id": response.id, "channel": response.channel}, role="Diretor")


def settle(
    ctx: Context,
    response: Response,
    verdict: Verdict,
    *,
    by: Classifier,
    by_id: UUID | None = None,
    model: str | None = None,
    later_date: date | None = None,
) -> None:
    """Write down what a message means, and do at once what cannot wait: suppress, stop, cancel."""
    person = _lock_writer(ctx, response)
    response.label, response.confidence, response.quote = verdict.label, verdict.confidence, verdict.quote[:500]
    if verdict.label == "automatic" and later_date is None:
        later_date = last_day(response)
    response.later_date = later_date
    response.classified_by, response.classified_by_id, response.classified_at = by, by_id, ctx.now
    response.model = model
    response.state = "classified"
    ctx.emit(
        ReplyClassified(response_id=response.id, lead_id=response.lead_id, label=verdict.label, later_date=later_date)
    )
    if verdict.label == "optout":
        for key in suppress(ctx, person.items(), source="word", channel=response.channel, response_id=response.id):
            ctx.emit(PersonSuppressed(person_key=key))
        stop_person(ctx, person, "stopped_optout", "A pessoa pediu para não receber mensagens.")
    elif verdict.label in HUMAN:
        stop_person(ctx, person, "stopped_reply", "A pessoa respondeu.")
    elif verdict.label == "bounce":
        report_bounces(ctx, response, bounced(as_inbound(response)))
        _look_again(ctx, person)
    elif verdict.label == "automatic":
        wait_until_back(ctx, person, later_date)
        _look_again(ctx, person)
    ctx.db.flush()


def locked(ctx: Context, response_id: UUID) -> Response:
    """A stored message, its writer locked first and then its row."""
    unlocked = ctx.db.get(Response, response_id)
    if unlocked is not None:
        _lock_writer(ctx, unlocked)
    return ctx.db.get_one(Response, response_id, with_for_update=True, populate_existing=True)


def _lock_writer(ctx: Context, response: Response) -> dict[str, str]:
    """Lock whoever wrote; all keys by which we know them, and their kinds."""
    answered = ctx.db.get(OutreachMessage, response.message_id) if response.message_id else None
    person = keys_of_writer(ctx.db, response.channel, response.from_key, answered, response.lead_id)
    ctx.lock(PERSON, person)
    return person


def _look_again(ctx: Context, keys: dict[str, str]) -> None:
    """Messages that waited for somebody to say what this was are looked at again."""
    waiting = select(OutreachMessage).where(
        written_to(OutreachMessage, keys), OutreachMessage.state.in_(("approved", "queued"))
    )
    for message in ctx.db.scalars(waiting.with_for_update()):
        message.due_at = None
        ctx.emit(MessageApproved(message_id=message.id))


def kept_text(arrived: Arrived) -> str:
    """What is stored of a text; of one that is too long the person's own words, wherever they stand in it."""
    if len(arrived.text) <= MAX_TEXT or arrived.channel != "email":
        return arrived.text[:MAX_TEXT]
    return (own_words(arrived.text) or arrived.text)[:MAX_TEXT]


def remember_hidden(ctx: Context, lid: str | None, phone_key: str | None) -> None:
    """Whose this id is; a number that changed hands takes its id along. The person is locked."""
    if not lid or not phone_key:
        return
    seen = insert(HiddenNumber).values(id=uuid7(), lid=lid, phone_key=phone_key, created_at=ctx.now, updated_at=ctx.now)
    ctx.db.execute(
        seen.on_conflict_do_update(
            index_elements=["lid"],
            set_={"phone_key": seen.excluded.phone_key, "updated_at": ctx.now},
            where=HiddenNumber.phone_key != seen.excluded.phone_key,
        )
    )


def _number_of(answered: OutreachMessage | None, arrived: Arrived) -> str:
    """Where to answer somebody whose number is hidden: where we wrote to."""
    return answered.to_address if answered is not None and answered.channel == arrived.channel else ""


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


def lock_with_answers(ctx: Context, message_id: UUID, rfc_id: str | None = None) -> list[UUID]:
    """Lock the person of a message and whoever answered it before it was known; the answers that wait for it.

    `rfc_id` is what the caller has just learnt.
    """
    m = OutreachMessage
    columns = select(m.channel, m.rfc_id, m.provider_id, m.phone_key, m.email_key, m.lead_id)
    row = ctx.db.execute(columns.where(m.id == message_id)).first()
    if row is None:
        return []
    if row.channel != "email":
        ctx.lock(PERSON, keys_of(row))
        return []
    ctx.lock(PERSON, keys_of_ids(row.provider_id))
    ctx.lock(PERSON, keys_of_ids(row.rfc_id, rfc_id))
    # As an answer writes them.
    known = [id for id in (row.provider_id and f"<{row.provider_id}>", row.rfc_id, rfc_id) if id]
    r = Response
    waiting = ctx.db.execute(
        select(r.id, r.from_key, r.lead_id).where(
            r.channel == "email", r.message_id.is_(None), r.answered_ids.overlap(known)
        )
    ).all()
    message = ctx.db.get_one(OutreachMessage, message_id)
    keys = set(keys_of(message))
    for answer in waiting:
        keys |= keys_of_writer(ctx.db, "email", answer.from_key, message, answer.lead_id).keys()
    ctx.lock(PERSON, keys)
    return [answer.id for answer in waiting]


def match_waiting(ctx: Context, message: OutreachMessage, answers: Iterable[UUID]) -> None:
    """Give a message the answers that waited for it; everybody is locked. What they stop is stopped now."""
    for id in answers:
        response = ctx.db.get_one(Response, id, with_for_update=True, populate_existing=True)
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
            _settle_again(ctx, response)


def _settle_again(ctx: Context, response: Response) -> None:
    """What it means is known, and now also to whom it applies. CHECKs keep both words to the known ones."""
    label, by = cast(Label, response.label), cast(Classifier, response.classified_by or "rule")
    settle(
        ctx,
        response,
        Verdict(label, response.quote or "", response.confidence or 1.0),
        by=by,
        by_id=response.classified_by_id,
        model=response.model,
        later_date=response.later_date,
    )
