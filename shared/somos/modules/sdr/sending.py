"""From approved to left: claiming a message under all guards, and the gate it passes in the last instant.

Three moments, so that a crash between any two of them is harmless:

1. `claim`, one short transaction: person and sender locked, every guard and cap looked at, state `sending`.
2. `Gate`, the call itself: the person's lock is held from the last look at the guards until the provider
   answered, so an opt-out or a reply commits either before the look, and nothing leaves, or after the call.
   The mesh's journal keeps the intent before and the answer after it.
3. the caller's write: sent, unknown, back in the queue, or ended.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from somos.kernel.business_days import holidays_of
from somos.mesh import Context
from somos.mesh.effects import operation
from somos.modules.sdr import people
from somos.modules.sdr.asking import ask
from somos.modules.sdr.facts import facts
from somos.modules.sdr.receipts import mark_sent
from somos.modules.sdr.rules import guards
from somos.modules.sdr.rules.guards import Refusal
from somos.modules.sdr.rules.machines import MESSAGE, move
from somos.modules.sdr.stopping import cancel, stop_enrolment
from somos.modules.sdr.tables import Enrolment, OutreachMessage, Sender
from somos.ports.email import Email
from somos.ports.sent import Sent
from somos.ports.whatsapp import Whatsapp

R = TypeVar("R")

ASSISTED = "Envie pelo LinkedIn e marque como enviada."


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of an attempt to send. `again` says when to look at the message once more."""

    result: Literal["claimed", "sandboxed", "waiting", "held", "cancelled", "asked", "nothing"]
    attempt: int = 0
    again: datetime | None = None
    lead_id: UUID | None = None


def claim(db: Session, message_id: UUID, now: datetime) -> Claim:
    """Take an approved message for sending, if every check lets it leave now."""
    message = locked(db, message_id)
    if message is None or message.state not in ("approved", "queued"):
        return Claim("nothing")
    if message.due_at is not None and now < message.due_at:
        return Claim("nothing")  # it was put off meanwhile, and is looked at again then
    sender = db.get_one(Sender, message.sender_id, with_for_update=True, populate_existing=True)
    _recover(sender, now)
    refusals = guards.preflight(facts(db, message, sender, now), holidays_of(message.uf or sender.uf))
    if refusals:
        return put_off(db, message, sender, guards.decisive(refusals), now)
    if message.channel == "linkedin":
        queue(message, None, ASSISTED)
        return Claim("held", lead_id=message.lead_id)
    message.state = move(MESSAGE, message.state, "sending")
    message.tries += 1
    message.left_at = now
    message.due_at = message.waiting_for = None
    if sender.sandbox:
        message.sandbox = True
        mark_sent(db, message, f"sandbox-{message.id}-{message.tries}", now)
        return Claim("sandboxed", message.tries, lead_id=message.lead_id)
    return Claim("claimed", message.tries, lead_id=message.lead_id)


def locked(db: Session, message_id: UUID) -> OutreachMessage | None:
    """The message, its person locked first and then its row."""
    people.lock_for(db, message_id)
    return db.get(OutreachMessage, message_id, with_for_update=True, populate_existing=True)


def put_off(db: Session, message: OutreachMessage, sender: Sender, refusal: Refusal, now: datetime) -> Claim:
    """Act on the check that refused: end the message, ask again, or keep it in the queue with its reason."""
    message.left_at = None
    if refusal.then == "cancel":
        cancel(db, message, refusal.reason, now)
        ends = {"relationship": "stopped_deal", "suppression": "stopped_optout", "inbound": "stopped_reply"}
        if message.enrolment_id and refusal.check in ends:
            stop_enrolment(db.get(Enrolment, message.enrolment_id), ends[refusal.check], refusal.reason)
        return Claim("cancelled", lead_id=message.lead_id)
    queue(message, refusal.until, refusal.reason)
    if refusal.then == "ask":
        ask(db, message, sender, "sistema", now)
        return Claim("asked", lead_id=message.lead_id)
    if refusal.then == "hold":
        return Claim("held", lead_id=message.lead_id)
    return Claim("waiting", again=refusal.until, lead_id=message.lead_id)


def queue(message: OutreachMessage, due_at: datetime | None, reason: str) -> None:
    """Keep the message, approved as it is, until `due_at` or until somebody lifts what holds it."""
    if message.state != "queued":
        message.state = move(MESSAGE, message.state, "queued")
    message.due_at, message.waiting_for = due_at, reason


def _recover(sender: Sender, now: datetime) -> None:
    """A quota or a slow-down lasts until its hour."""
    if sender.health in ("quota_today", "slowed") and sender.health_until and sender.health_until <= now:
        sender.health, sender.health_reason, sender.health_until = "ok", None, None


# --- the gate -------------------------------------------------------------------------------------------


class Withheld(Exception):
    """A guard refused in the last instant: nothing was called."""

    outcome: ClassVar[str] = "none"

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__("; ".join(refusal.reason for refusal in refusals))
        self.refusals = refusals


class NotBegun(Exception):
    """The database went away before the call: nothing was called."""

    outcome: ClassVar[str] = "none"
    retry_after: ClassVar[float] = 2.0


class MayHaveLeft(Exception):
    """An earlier attempt's call may have had its effect, and a guard forbids to ask by sending again."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to leave, read once."""

    message_id: UUID
    attempt: int
    channel: str
    sender: str
    sender_name: str
    to: str
    jid: str | None
    subject: str
    text: str
    keys: tuple[str, ...]


def letter(db: Session, message_id: UUID, attempt: int) -> Letter | None:
    """The claimed message, or None when this attempt is not the one under way any more."""
    message = db.get(OutreachMessage, message_id)
    if message is None or message.state != "sending" or message.tries != attempt:
        return None
    sender = db.get_one(Sender, message.sender_id)
    return Letter(
        message_id=message.id,
        attempt=attempt,
        channel=message.channel,
        sender=sender.address,
        sender_name=sender.person_name,
        to=message.to_address,
        jid=message.jid or _known_jid(db, message),
        subject=message.subject or "",
        text=message.text,
        keys=tuple(people.keys_of(message)),
    )


def _known_jid(db: Session, message: OutreachMessage) -> str | None:
    """The identity that earlier messages to this number went to."""
    if message.channel != "whatsapp":
        return None
    earlier = select(OutreachMessage.jid).where(
        OutreachMessage.to_address == message.to_address, OutreachMessage.jid.is_not(None)
    )
    return db.scalars(earlier.order_by(OutreachMessage.id.desc()).limit(1)).first()


class Gate:
    """The last instant: guards and call under one lock of the person. Its operations go through `ctx.once`."""

    def __init__(self, ctx: Context, letter: Letter) -> None:
        self._ctx, self._letter = ctx, letter

    @operation(unknown="park")
    def send_whatsapp(self, instance: str, jid: str, text: str, key: str) -> Sent:
        """Once: Evolution takes no key, so an unknown outcome is for a person."""
        port = self._ctx.port(Whatsapp)
        return self._pass(lambda: port.send_text(instance=instance, jid=jid, text=text, key=key))

    @operation(unknown="reconcile")
    def send_email(self, sender: str, to: str, subject: str, text: str, headers: dict[str, str], key: str) -> Sent:
        """Under one key: the provider never sends twice, so asking again is how to find out."""
        port = self._ctx.port(Email)
        return self._pass(lambda: port.send(sender=sender, to=to, subject=subject, text=text, headers=headers, key=key))

    def send_email_lookup(self, key: str, **arguments: object) -> None:  # noqa: ARG002
        """Before asking again: if the guards forbid it now, only a person can tell."""
        try:
            self._pass(lambda: None)
        except Withheld as error:
            raise MayHaveLeft(str(error)) from error

    def _pass(self, call: Callable[[], R]) -> R:
        called, answered = False, list[R]()

        def through(db: Session) -> None:
            nonlocal called
            people.lock(db, self._letter.keys)
            refusals = last_refusals(db, self._letter, self._ctx.now)
            if refusals:
                raise Withheld(refusals)
            called = True
            answered.append(call())

        try:
            self._ctx.read(through)
        except DBAPIError as error:
            if not called:
                raise NotBegun from error
            if not answered:
                raise
            # The lock ended a moment early; what the provider said stays said.
        return answered[0]


def last_refusals(db: Session, letter: Letter, now: datetime) -> list[Refusal]:
    """The guards that a moment can change, asked again."""
    message = db.get(OutreachMessage, letter.message_id, populate_existing=True)
    if message is None or message.state != "sending" or message.tries != letter.attempt:
        return [Refusal("claim", "A mensagem já não está em envio.", "cancel")]
    sender = db.get_one(Sender, message.sender_id, populate_existing=True)
    found = facts(db, message, sender, now, guards.LAST_CHECKS)
    holiday = holidays_of(message.uf or sender.uf)
    return [refusal for check in guards.LAST_CHECKS if (refusal := check(found, holiday))]
