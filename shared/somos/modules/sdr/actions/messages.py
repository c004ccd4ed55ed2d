"""Messages on their way: claimed under every guard, put off, released, settled, or ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select

from somos.events.sdr import MessageApproved
from somos.kernel.business_days import holidays_of
from somos.mesh import Context
from somos.modules.sdr.actions.approvals import ask, close_request
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.receipts import fail, mark_sent
from somos.modules.sdr.actions.senders import HELD_BY_HEALTH, announce_health, note_error, try_again_at
from somos.modules.sdr.queries.messages import LOOKED_FOR, Stuck
from somos.modules.sdr.queries.people import lock_people
from somos.modules.sdr.queries.preflight import facts
from somos.modules.sdr.rules import guards
from somos.modules.sdr.rules.guards import Refusal, decisive
from somos.modules.sdr.rules.machines import CANCELLABLE, MESSAGE
from somos.modules.sdr.tables.approvals import Approval
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.message_receipts import MessageReceipt
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.senders import Sender
from somos.ports.errors import OutsideError

ASSISTED = "Envie pelo LinkedIn e marque como enviada."
WHY_UNKNOWN = "O provedor não confirmou o envio; confira na conversa e diga se saiu."
# WhatsApp takes a burst from one number for a robot's.
BETWEEN = timedelta(seconds=45)
ONE_BY_ONE = "As mensagens que esperavam saem uma a uma."
WHY_AGAIN = "O envio não chegou a começar; a mensagem espera a vez de novo."
UNCONFIRMED_AFTER = timedelta(minutes=30)
EXPIRED = "O prazo para aprovar passou."
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of an attempt to send. `again` says when to look at the message once more."""

    result: Literal["claimed", "sandboxed", "waiting", "held", "cancelled", "asked", "nothing"]
    attempt: int = 0
    again: datetime | None = None
    lead_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the call; of the optional values, the one that goes with `result` is set."""

    result: Literal["sent", "unknown", "refused", "withheld", "later"]
    provider_id: str = ""
    jid: str | None = None
    reason: str = ""
    dead_address: bool = False
    refusals: tuple[Refusal, ...] = ()
    error: OutsideError | None = None


def claim(ctx: Context, message_id: UUID) -> Claim:
    """Take an approved message for sending, if every check lets it leave now."""
    message = locked(ctx, message_id)
    if message is None or message.state not in ("approved", "queued"):
        return Claim("nothing")
    if message.due_at is not None and ctx.now < message.due_at:
        return Claim("nothing")  # it was put off meanwhile, and is looked at again then
    sender = ctx.db.get_one(Sender, message.sender_id, with_for_update=True, populate_existing=True)
    _recover(sender, ctx.now)
    refusals = guards.preflight(facts(ctx.db, message, sender, ctx.now), holidays_of(message.uf or sender.uf))
    if refusals:
        return put_off(ctx, message, sender, guards.decisive(refusals))
    if message.channel == "linkedin":
        queue(message, None, ASSISTED)
        return Claim("held", lead_id=message.lead_id)
    message.state = MESSAGE.move(message.state, "sending")
    message.tries += 1
    message.left_at = ctx.now
    message.due_at = message.waiting_for = None
    if sender.sandbox:
        message.sandbox = True
        mark_sent(ctx, message, f"sandbox-{message.id}-{message.tries}")
        return Claim("sandboxed", message.tries, lead_id=message.lead_id)
    return Claim("claimed", message.tries, lead_id=message.lead_id)


def locked(ctx: Context, message_id: UUID) -> OutreachMessage | None:
    """The message, its person locked first and then its row."""
    lock_people(ctx.db, OutreachMessage, [message_id])
    return ctx.db.get(OutreachMessage, message_id, with_for_update=True, populate_existing=True)


def put_off(ctx: Context, message: OutreachMessage, sender: Sender, refusal: Refusal) -> Claim:
    """Act on the check that refused: end the message, ask again, or keep it in the queue with its reason."""
    message.left_at = None
    if refusal.then == "cancel":
        cancel(ctx, message, refusal.reason)
        ends = {"relationship": "stopped_deal", "suppression": "stopped_optout", "inbound": "stopped_reply"}
        if message.enrolment_id and refusal.check in ends:
            stop_enrolment(ctx.db.get(Enrolment, message.enrolment_id), ends[refusal.check], refusal.reason)
        return Claim("cancelled", lead_id=message.lead_id)
    queue(message, refusal.until, refusal.reason)
    if refusal.then == "ask":
        ask(ctx.db, message, sender, "sistema", ctx.now)
        return Claim("asked", lead_id=message.lead_id)
    if refusal.then == "hold":
        return Claim("held", lead_id=message.lead_id)
    return Claim("waiting", again=refusal.until, lead_id=message.lead_id)


def queue(message: OutreachMessage, due_at: datetime | None, reason: str) -> None:
    """Keep the message, approved as it is, until `due_at` or until somebody lifts what holds it."""
    if message.state != "queued":
        message.state = MESSAGE.move(message.state, "queued")
    message.due_at, message.waiting_for = due_at, reason


def _recover(sender: Sender, now: datetime) -> None:
    """A quota or a slow-down lasts until its hour."""
    if sender.health in ("quota_today", "slowed") and sender.health_until and sender.health_until <= now:
        sender.health, sender.health_reason, sender.health_until = "ok", None, None


def cancel(ctx: Context, message: OutreachMessage, reason: str) -> None:
    """This message never leaves; the request to approve it, if open, is withdrawn."""
    message.state = MESSAGE.move(message.state, "cancelled")
    message.ended_reason = reason
    message.due_at = None
    message.left_at = None
    close_request(ctx.db, message, "withdrawn", ctx.now)


def cancel_of_enrolment(ctx: Context, enrolment_id: UUID, reason: str) -> None:
    """Cancel what one cadence still had on its way."""
    waiting = select(OutreachMessage).where(
        OutreachMessage.enrolment_id == enrolment_id, OutreachMessage.state.in_(CANCELLABLE)
    )
    for message in ctx.db.scalars(waiting.order_by(OutreachMessage.id).with_for_update()):
        cancel(ctx, message, reason)


def settle_outcome(ctx: Context, message: OutreachMessage, outcome: Outcome) -> None:
    """Bring a message in `sending` to where its call left it. The person and the message are locked."""
    if message.erased_at is None:
        message.jid = outcome.jid or message.jid
    if outcome.result == "sent":
        mark_sent(ctx, message, outcome.provider_id)
    elif outcome.result == "unknown":
        message.state = MESSAGE.move(message.state, "unknown")
        message.waiting_for = WHY_UNKNOWN
        ctx.notify("outreach.unknown", {"message_id": message.id}, role="Diretor")
    elif outcome.result == "refused":
        fail(ctx, message, outcome.reason, dead_address=outcome.dead_address)
    elif outcome.result == "withheld":
        sender = ctx.db.get_one(Sender, message.sender_id)
        claim = put_off(ctx, message, sender, decisive(list(outcome.refusals)))
        if claim.again is not None:
            ctx.emit(MessageApproved(message_id=message.id), after=claim.again)
    else:
        _try_later(ctx, message, outcome)


def _try_later(ctx: Context, message: OutreachMessage, outcome: Outcome) -> None:
    """It surely did not leave: back in the queue, for the hour the provider said or until a person repairs."""
    assert outcome.error is not None
    sender = ctx.db.get_one(Sender, message.sender_id, with_for_update=True)
    if note_error(sender, outcome.error, ctx.now):
        announce_health(ctx, sender)
    message.left_at = None
    if sender.health in HELD_BY_HEALTH:
        queue(message, None, outcome.error.message)
        return
    again = sender.health_until if sender.health == "quota_today" else None
    again = again or try_again_at(outcome.error, message.tries, ctx.now)
    queue(message, again, outcome.error.message)
    ctx.emit(MessageApproved(message_id=message.id), after=again)


def note_unconfirmed(ctx: Context) -> list[UUID]:
    """Messages that WhatsApp's server took without any receipt since, each reported once.

    A session may look connected and be dead: then the server takes everything and nothing leaves.
    """
    m, r = OutreachMessage, MessageReceipt
    receipt = exists().where(r.channel == m.channel, r.provider_id == m.provider_id)
    silent = select(m).where(
        m.channel == "whatsapp",
        m.state == "sent",
        m.sandbox.is_(False),
        m.unconfirmed_at.is_(None),
        m.sent_at < ctx.now - UNCONFIRMED_AFTER,
        m.sent_at > ctx.now - LOOKED_FOR,
        ~receipt,
    )
    messages = ctx.db.scalars(silent.order_by(m.id).with_for_update(skip_locked=True)).all()
    for message in messages:
        message.unconfirmed_at = ctx.now
    return [message.id for message in messages]


def settle_stuck(ctx: Context, stuck: Stuck) -> tuple[list[UUID], list[UUID]]:
    """Put back into the queue what did not begin, and leave the rest to a person; which, and which. The people are
    locked."""
    again, parked = [], []
    for message_id in stuck.all:
        message = ctx.db.get(OutreachMessage, message_id, with_for_update=True, populate_existing=True)
        if message is None or message.state != "sending":
            continue
        if message_id in stuck.not_begun:
            message.left_at = None
            queue(message, None, WHY_AGAIN)
            again.append(message_id)
        else:
            message.state = MESSAGE.move(message.state, "unknown")
            message.waiting_for = WHY_UNKNOWN
            parked.append(message_id)
    return again, parked


def release(ctx: Context, *conditions: ColumnElement[bool]) -> None:
    """Let approved messages of these conditions be looked at again: now, or by turns where a burst is dangerous.

    Also those just approved: one may be meeting the obstacle in this very moment. Who has a turn keeps it, however
    often the obstacle comes and goes.
    """
    waiting = select(OutreachMessage).where(OutreachMessage.state.in_(("approved", "queued")), *conditions)
    messages = ctx.db.scalars(waiting.order_by(OutreachMessage.id).with_for_update()).all()
    turns: dict[UUID, datetime] = {}
    for message in messages:
        if message.due_at is not None and _has_turn(message, ctx.now):
            turns[message.sender_id] = max(turns.get(message.sender_id, ctx.now), message.due_at + BETWEEN)
    for message in messages:
        if _has_turn(message, ctx.now):
            continue
        message.due_at = _next_turn(message, turns, ctx.now)
        if message.due_at is not None:
            message.waiting_for = ONE_BY_ONE
        ctx.emit(MessageApproved(message_id=message.id), after=message.due_at)


def _has_turn(message: OutreachMessage, now: datetime) -> bool:
    return message.waiting_for == ONE_BY_ONE and message.due_at is not None and message.due_at > now


def _next_turn(message: OutreachMessage, turns: dict[UUID, datetime], now: datetime) -> datetime | None:
    """When it goes; None for now."""
    if message.channel != "whatsapp" or message.kind == "reply" or message.state == "approved":
        return None
    turn = turns.get(message.sender_id, now)
    turns[message.sender_id] = turn + BETWEEN
    return turn if turn > now else None


def expire_due(ctx: Context) -> int:
    """Let every request whose time is over lapse; how many."""
    due = select(Approval.subject_id).where(
        Approval.subject_type == "outreach_message", Approval.state == "pending", Approval.expires_at <= ctx.now
    )
    lapsed = 0
    ids = ctx.db.scalars(due.order_by(Approval.subject_id).limit(AT_ONCE)).all()
    lock_people(ctx.db, OutreachMessage, ids)
    # Rows in one order too, so that two runs never wait for each other.
    for message_id in ids:
        message = ctx.db.get(OutreachMessage, message_id, with_for_update=True, populate_existing=True)
        if message is None or message.state not in CANCELLABLE:
            continue
        close_request(ctx.db, message, "expired", ctx.now)
        ctx.db.flush()
        cancel(ctx, message, EXPIRED)
        if message.enrolment_id:
            stop_enrolment(ctx.db.get(Enrolment, message.enrolment_id), "expired", EXPIRED)
        lapsed += 1
    return lapsed
