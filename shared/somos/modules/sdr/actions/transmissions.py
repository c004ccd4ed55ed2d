"""The outside call of a claimed message, through the gate it passes in the last instant."""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from somos.mesh import Context, Parked, locks
from somos.mesh.effects import operation
from somos.mesh.journal import Refusal as KnownRefusal
from somos.modules.sdr.actions.messages import Outcome
from somos.modules.sdr.queries.messages import Letter
from somos.modules.sdr.queries.people import PERSON
from somos.modules.sdr.queries.preflight import last_refusals
from somos.modules.sdr.rules.drafts import unsubscribe_headers, unsubscribe_link
from somos.modules.sdr.rules.guards import Refusal
from somos.ports.email import Email
from somos.ports.errors import OutsideError, Refused
from somos.ports.sent import Sent
from somos.ports.whatsapp import Whatsapp

R = TypeVar("R")

NOT_ON_WHATSAPP = "Este número não está no WhatsApp."
DEAD_CODES = ("number-not-on-whatsapp",)


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
            locks.take(db, PERSON, self._letter.keys)
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


def transmit(ctx: Context, letter: Letter) -> Outcome:
    """Call the provider through the gate and the journal. Raises only what the mesh should try again."""
    gate = Gate(ctx, letter)
    jid = None
    try:
        if letter.channel == "email":
            sent = _email(ctx, gate, letter)
        else:
            jid = letter.jid or _jid(ctx, letter)
            if jid is None:
                return Outcome("refused", reason=NOT_ON_WHATSAPP, dead_address=True)
            sent = ctx.once(
                "send",
                gate.send_whatsapp,
                about=letter.message_id,
                instance=letter.sender,
                jid=jid,
                text=letter.text,
            )
    except (Parked, MayHaveLeft):
        return Outcome("unknown", jid=jid)
    except Withheld as withheld:
        return Outcome("withheld", refusals=tuple(withheld.refusals))
    except (Refused, KnownRefusal) as refusal:
        return Outcome("refused", reason=_reason(refusal), dead_address=refusal.code in DEAD_CODES)
    except OutsideError as error:
        if error.outcome == "unknown":
            raise  # under our key: asking again finds out
        return Outcome("later", error=error)
    return Outcome("sent", provider_id=sent.provider_id, jid=jid)


def _email(ctx: Context, gate: Gate, letter: Letter) -> Sent:
    link = unsubscribe_link(ctx.settings.public_url, ctx.settings.suppression_key, letter.message_id)
    return ctx.once(
        "send",
        gate.send_email,
        about=letter.message_id,
        sender=letter.sender,
        to=letter.to,
        subject=letter.subject,
        text=letter.text,
        headers=unsubscribe_headers(link),
    )


def _jid(ctx: Context, letter: Letter) -> str | None:
    """The identity behind the number, with or without its 9th digit."""
    lookup = ctx.once("number", ctx.port(Whatsapp).check_number, number=letter.to, instance=letter.sender)
    return lookup.jid if lookup.exists else None


def _reason(refusal: Refused | KnownRefusal) -> str:
    return refusal.message if isinstance(refusal, Refused) else str(refusal.detail)
