"""What was said in a WhatsApp chat, told by a webhook or found in its list, applied to whom it is about."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from somos.events.sdr import MessageSent
from somos.kernel.phones import normalise_phone
from somos.mesh import Context
from somos.mesh.database import is_away, sqlstate
from somos.mesh.ids import uuid7
from somos.modules.sdr.actions.people import stop_person
from somos.modules.sdr.actions.provider_reports import report_sent
from somos.modules.sdr.actions.responses import MAX_TEXT, receive, remember_hidden
from somos.modules.sdr.queries.messages import last_message_to
from somos.modules.sdr.queries.people import PERSON, key_of, key_of_hidden, keys_of_writer
from somos.modules.sdr.queries.responses import Arrived
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.phone_messages import PhoneMessage
from somos.modules.sdr.tables.responses import Response
from somos.modules.sdr.tables.senders import Sender
from somos.ports.whatsapp import ChatMessage

BY_PHONE = "Alguém da equipe escreveu a esta pessoa pelo celular."
# Webhooks overtake one another: an edit, or a deletion, may come before what it is about.
WAITED_FOR = timedelta(minutes=10)
MAX_PAGES = 5
NOT_STORED = "[mensagem que não pôde ser guardada; leia no celular]"
MAX_ID = 200
# Two that waited for each other, or for too long: the whole pull is tried again.
TRY_AGAIN = ("40001", "40P01", "55P03")


class NotYetKnown(Exception):
    """The message that this one is about may still come."""


def record(ctx: Context, account: str, message: ChatMessage, *, pulled: bool = False) -> None:
    """Take one message of a chat into the conversation. Raises NotYetKnown for what has to wait for another one."""
    if message.kind == "edit" or (message.kind == "unreadable" and message.about):
        _edited(ctx, account, message, pulled=pulled)
    elif message.kind == "deletion":
        _deleted(ctx, account, message)
    elif message.from_me:
        if message.kind in ("text", "unreadable"):
            _written_on_the_phone(ctx, account, message)
    elif message.kind == "reaction":
        if last_message_to(ctx.db, _key(ctx, message), message.jid) is not None:
            emoji = message.text[:20]
            note = f"[reagiu com {emoji}]" if emoji else "[retirou a reação]"
            receive(ctx, _arrived(ctx, account, message, text=note, kind="reaction", pulled=pulled))
    elif known := _stored(ctx, message.provider_id):
        _text_again(ctx, account, message, known, pulled=pulled)
    else:
        receive(ctx, _arrived(ctx, account, message, pulled=pulled))


def lock_writers(ctx: Context, messages: Iterable[ChatMessage]) -> None:
    """Lock everybody of a list at once: one by one, two that read lists would wait for each other."""
    keys: set[str] = set()
    for message in messages:
        key = _key(ctx, message)
        last = last_message_to(ctx.db, key, message.jid)
        if last is not None:
            keys |= keys_of_writer(ctx.db, "whatsapp", key, last, None).keys()
    ctx.lock(PERSON, keys)


def is_news(ctx: Context, message: ChatMessage) -> bool:
    """Whether a message of the list concerns somebody we wrote to, or nobody knows whom."""
    if message.kind in ("edit", "deletion") or message.about:
        return False  # webhooks only: the list shows what it is about
    if message.from_me:
        if _is_ours(ctx, message.provider_id):
            return False
    elif message.phone is None and message.lid is not None:
        return True
    return last_message_to(ctx.db, _key(ctx, message), message.jid) is not None


def _edited(ctx: Context, account: str, message: ChatMessage, *, pulled: bool) -> None:
    """Another text for what was said: read again, both kept. Who wrote is known by the first one."""
    first = _stored(ctx, message.about or "")
    if first is None and _is_ours(ctx, message.about or ""):
        return
    if first is None and (message.from_me or not message.jid):
        _wait_for_first(ctx, message)
        return
    if first is None:
        receive(ctx, _arrived(ctx, account, message, pulled=pulled))
    elif first.erased_at is None:
        _receive_edit(ctx, account, message, first, pulled=pulled)


def _text_again(ctx: Context, account: str, message: ChatMessage, known: Response, *, pulled: bool) -> None:
    """The same message in other words: its edit was lost, or what only the phone showed was decrypted at last."""
    texts = select(Response.text).where((Response.id == known.id) | (Response.edits == known.id))
    if (
        message.kind == "text"
        and known.erased_at is None
        and message.text[:MAX_TEXT] not in ctx.db.scalars(texts).all()
    ):
        _receive_edit(ctx, account, message, known, pulled=pulled)


def _receive_edit(ctx: Context, account: str, message: ChatMessage, first: Response, *, pulled: bool) -> UUID | None:
    digest = hashlib.sha256(message.text.encode()).hexdigest()[:16]
    arrived = Arrived(
        channel="whatsapp",
        provider_message_id=f"{first.provider_message_id}:{digest}",
        account=account,
        from_address=first.from_address,
        from_name=first.from_name,
        lid=first.lid,
        text=message.text,
        received_at=message.at or ctx.now,
        edits=first.id,
        readable=message.kind != "unreadable",
        pulled=pulled,
    )
    return receive(ctx, arrived)


def _deleted(ctx: Context, account: str, message: ChatMessage) -> None:
    """What was said stays said; that it was deleted is noted beside it."""
    first = _stored(ctx, message.about or "")
    if first is None or first.erased_at is not None:
        return
    deletion = Arrived(
        channel="whatsapp",
        provider_message_id=f"{first.provider_message_id}:deleted",
        account=account,
        from_address=first.from_address,
        from_name=first.from_name,
        lid=first.lid,
        text="[apagou uma mensagem]",
        received_at=message.at or ctx.now,
        edits=first.id,
        kind="deletion",
    )
    receive(ctx, deletion)


def _wait_for_first(ctx: Context, message: ChatMessage) -> None:
    if message.at is not None and message.at > ctx.now - WAITED_FOR:
        raise NotYetKnown
    ctx.log.warning("edit_of_unknown_message", provider_id=message.about)


def _written_on_the_phone(ctx: Context, account: str, message: ChatMessage) -> None:
    """One of ours writes to somebody we are writing to: it is on the timeline, and what is automatic stops.

    The number's other chats are nobody's business.
    """
    if report_sent(ctx, account, message) is not None:
        return
    key = _key(ctx, message)
    last = last_message_to(ctx.db, key, message.jid)
    sender = ctx.db.scalars(select(Sender).where(Sender.channel == "whatsapp", Sender.address == account)).first()
    if last is None or last.erased_at is not None or sender is None:
        return
    person = keys_of_writer(ctx.db, "whatsapp", key, last, None)
    ctx.lock(PERSON, person)
    remember_hidden(ctx, message.lid, key)
    if _is_ours(ctx, message.provider_id):
        return  # the system itself wrote it: its step was about to say so
    at = message.at or ctx.now
    id = ctx.db.execute(
        insert(PhoneMessage)
        .values(
            id=uuid7(), channel="whatsapp", provider_id=message.provider_id, sender_id=sender.id, lead_id=last.lead_id,
            phone_key=last.phone_key, at=at, text=message.text[:MAX_TEXT], created_at=ctx.now,
            updated_at=ctx.now,
        )
        .on_conflict_do_nothing(index_elements=["channel", "provider_id"])
        .returning(PhoneMessage.id)
    ).scalar()  # fmt: skip
    if id is None:
        return
    cancelled = stop_person(ctx, person, "stopped_manual", BY_PHONE, conversations=False)
    keys = (last.phone_key,) if last.phone_key else ()
    ctx.emit(MessageSent(message_id=id, lead_id=last.lead_id, channel="whatsapp", keys=keys, left_at=at))
    details = {"lead_id": last.lead_id, "cancelled": cancelled}
    ctx.notify("outreach.taken-over", details, role="Diretor")


def _arrived(
    ctx: Context, account: str, message: ChatMessage, *, text: str | None = None, pulled: bool, **more: Any
) -> Arrived:
    return Arrived(
        channel="whatsapp",
        provider_message_id=message.provider_id,
        account=account,
        from_address=message.phone or "",
        from_name=message.name,
        jid=message.jid,
        lid=message.lid,
        text=message.text if text is None else text,
        received_at=message.at or ctx.now,
        readable=message.kind != "unreadable",
        pulled=pulled,
        **more,
    )


def _key(ctx: Context, message: ChatMessage) -> str | None:
    key = key_of(ctx.settings.suppression_key, "phone", normalise_phone(message.phone))
    return key or key_of_hidden(ctx.db, message.lid)


def _stored(ctx: Context, provider_id: str) -> Response | None:
    messages = select(Response).where(Response.channel == "whatsapp", Response.provider_message_id == provider_id)
    return ctx.db.scalars(messages).first()


def _is_ours(ctx: Context, provider_id: str) -> bool:
    """Whether the system sent this message, or one of ours on the phone."""
    by_system = select(OutreachMessage.id).where(
        OutreachMessage.channel == "whatsapp", OutreachMessage.provider_id == provider_id
    )
    by_phone = select(PhoneMessage.id).where(
        PhoneMessage.channel == "whatsapp", PhoneMessage.provider_id == provider_id
    )
    return any(ctx.db.scalars(ids.limit(1)).first() is not None for ids in (by_system, by_phone))


def record_news(ctx: Context, account: str, message: ChatMessage) -> None:
    """Hear what no webhook told us. A message that cannot be taken costs no other: a person reads it on the phone."""
    try:
        with ctx.apart():
            if is_news(ctx, message):
                record(ctx, account, message, pulled=True)
    except Exception as error:
        if _is_of_database(error):
            raise
        _set_aside(ctx, account, message, error)


def _set_aside(ctx: Context, account: str, message: ChatMessage, error: Exception) -> None:
    """Keep that somebody wrote, without the words that nothing here can hold."""
    # Neither the error's text nor the traceback: both may quote what was said.
    ctx.log.error("pulled_message_set_aside", account=account, error=type(error).__name__, kind=message.kind)
    plain = message.model_copy(
        update={"kind": "unreadable", "text": NOT_STORED, "name": None, "about": None, "provider_id": _short(message)}
    )
    try:
        with ctx.apart():
            if not message.from_me and is_news(ctx, plain):
                record(ctx, account, plain, pulled=True)
    except Exception as again:
        if _is_of_database(again):
            raise
        ctx.log.error("pulled_message_lost", account=account, error=type(again).__name__, kind=message.kind)


def _is_of_database(error: Exception) -> bool:
    """Whether the database is to blame, and not the message."""
    return isinstance(error, DBAPIError) and (is_away(error) or sqlstate(error) in TRY_AGAIN)


def _short(message: ChatMessage) -> str:
    """The provider's id, or what fits an index of one that does not."""
    id = message.provider_id
    return id if len(id) <= MAX_ID else hashlib.sha256(id.encode()).hexdigest()
