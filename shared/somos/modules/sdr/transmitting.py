"""The outside call of a claimed message, and what its answer or its failure means."""

from dataclasses import dataclass
from typing import Literal

from somos.mesh import Context, Parked
from somos.mesh.journal import Refusal as KnownRefusal
from somos.modules.sdr.drafting import unsubscribe_headers, unsubscribe_link
from somos.modules.sdr.rules.guards import Refusal
from somos.modules.sdr.sending import Gate, Letter, MayHaveLeft, Withheld
from somos.ports.errors import OutsideError, Refused
from somos.ports.sent import Sent
from somos.ports.whatsapp import Whatsapp

NOT_ON_WHATSAPP = "Este número não está no WhatsApp."
DEAD_CODES = ("number-not-on-whatsapp",)


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
        return Outcome("refused", reason=_said(refusal), dead_address=refusal.code in DEAD_CODES)
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
    found = ctx.once("number", ctx.port(Whatsapp).check_number, number=letter.to, instance=letter.sender)
    return found.jid if found.exists else None


def _said(refusal: Refused | KnownRefusal) -> str:
    return refusal.message if isinstance(refusal, Refused) else str(refusal.detail)
