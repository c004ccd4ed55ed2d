"""The people outreach writes to: one lock each, and what ends for them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.events.sdr import PersonSuppressed
from somos.kernel.emails import normalise_email
from somos.mesh import Context
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.locks import lock
from somos.modules.sdr.actions.messages import cancel
from somos.modules.sdr.actions.suppressions import suppress
from somos.modules.sdr.queries.people import key_of, known_by, known_by_leads, written_to
from somos.modules.sdr.rules.machines import CANCELLABLE, LIVE_ENROLMENTS
from somos.modules.sdr.schemas.people import Suppressed
from somos.modules.sdr.tables import Enrolment, OutreachMessage


def stop_person(
    db: Session,
    keys: Collection[str],
    enrolment_state: str,
    reason: str,
    now: datetime,
    *,
    conversations: bool = True,
) -> int:
    """End everything under way for the people of these keys, on every channel. The caller holds their lock.

    Without `conversations`, what a person answers to a person goes on. Returns how many messages will not leave.
    """
    enrolments = select(Enrolment).where(written_to(Enrolment, keys), Enrolment.state.in_(LIVE_ENROLMENTS))
    for enrolment in db.scalars(enrolments.order_by(Enrolment.id).with_for_update()):
        stop_enrolment(enrolment, enrolment_state, reason)
    waiting = select(OutreachMessage).where(written_to(OutreachMessage, keys), OutreachMessage.state.in_(CANCELLABLE))
    if not conversations:
        waiting = waiting.where(OutreachMessage.kind != "reply")
    cancelled = 0
    for message in db.scalars(waiting.order_by(OutreachMessage.id).with_for_update()):
        cancel(db, message, reason, now)
        cancelled += 1
    return cancelled


REASON = "A pessoa não deve mais receber mensagens."


def silence(ctx: Context, db: Session, given: dict[str, str], *, source: str, **values: Any) -> Suppressed:
    """Suppress these keys and the person's others; in force when this transaction commits."""
    known = known_by(db, given)
    others = known_by_leads(db, known.leads)
    person = (
        given
        | dict.fromkeys(known.phones | others.phones, "phone")
        | dict.fromkeys(known.emails | others.emails, "email")
    )
    lock(db, person)
    new = suppress(db, person.items(), source=source, now=ctx.now, **values)
    cancelled = stop_person(db, person, "stopped_optout", REASON, ctx.now)
    db.flush()
    for key in new:
        ctx.emit(PersonSuppressed(person_key=key))
    return Suppressed(addresses=len(person), cancelled=cancelled)


def silence_address(ctx: Context, db: Session, address: str, *, source: str) -> None:
    """Somebody complained to the provider of what we sent to this e-mail address."""
    key = key_of(ctx.settings.suppression_key, "email", normalise_email(address))
    if key is not None:
        silence(ctx, db, {key: "email"}, source=source, channel="email")
