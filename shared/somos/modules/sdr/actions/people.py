"""The people outreach writes to: one lock each, and what ends for them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from somos.events.sdr import PersonSuppressed
from somos.kernel.emails import normalise_email
from somos.mesh import Context
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.messages import cancel
from somos.modules.sdr.actions.suppressions import suppress
from somos.modules.sdr.queries.people import (
    PERSON,
    key_of,
    known_by,
    known_by_leads,
    written_to,
)
from somos.modules.sdr.rules.machines import CANCELLABLE, LIVE_ENROLMENTS
from somos.modules.sdr.schemas.suppressions import Suppressed
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.messages import OutreachMessage


def stop_person(
    ctx: Context,
    keys: Collection[str],
    enrolment_state: str,
    reason: str,
    *,
    conversations: bool = True,
) -> int:
    """End everything under way for the people of these keys, on every channel. The caller holds their lock.

    Without `conversations`, what a person answers to a person goes on. Returns how many messages will not leave.
    """
    enrolments = select(Enrolment).where(written_to(Enrolment, keys), Enrolment.state.in_(LIVE_ENROLMENTS))
    for enrolment in ctx.db.scalars(enrolments.order_by(Enrolment.id).with_for_update()):
        stop_enrolment(enrolment, enrolment_state, reason)
    waiting = select(OutreachMessage).where(written_to(OutreachMessage, keys), OutreachMessage.state.in_(CANCELLABLE))
    if not conversations:
        waiting = waiting.where(OutreachMessage.kind != "reply")
    cancelled = 0
    for message in ctx.db.scalars(waiting.order_by(OutreachMessage.id).with_for_update()):
        cancel(ctx, message, reason)
        cancelled += 1
    return cancelled


REASON = "A pessoa não deve mais receber mensagens."


def silence(ctx: Context, given: dict[str, str], *, source: str, **values: Any) -> Suppressed:
    """Suppress these keys and the person's others; in force when this transaction commits."""
    known = known_by(ctx.db, given)
    others = known_by_leads(ctx.db, known.leads)
    person = (
        given
        | dict.fromkeys(known.phones | others.phones, "phone")
        | dict.fromkeys(known.emails | others.emails, "email")
    )
    ctx.lock(PERSON, person)
    new = suppress(ctx, person.items(), source=source, **values)
    cancelled = stop_person(ctx, person, "stopped_optout", REASON)
    ctx.db.flush()
    for key in new:
        ctx.emit(PersonSuppressed(person_key=key))
    return Suppressed(addresses=len(person), cancelled=cancelled)


def silence_address(ctx: Context, address: str, *, source: str) -> None:
    """Somebody complained to the provider of what we sent to this e-mail address."""
    key = key_of(ctx.settings.suppression_key, "email", normalise_email(address))
    if key is not None:
        silence(ctx, {key: "email"}, source=source, channel="email")
