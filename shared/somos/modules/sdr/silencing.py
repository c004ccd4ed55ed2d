"""Never again: suppress a person by every address we know, and end everything on its way to them."""

from typing import Any

from sqlalchemy.orm import Session

from somos.events.sdr import PersonSuppressed
from somos.kernel.emails import normalise_email
from somos.mesh import Context
from somos.modules.sdr import people
from somos.modules.sdr.schemas.people import Suppressed
from somos.modules.sdr.stopping import stop_person

REASON = "A pessoa não deve mais receber mensagens."


def silence(ctx: Context, db: Session, given: dict[str, str], *, source: str, **values: Any) -> Suppressed:
    """Suppress these keys and the person's others; in force when this transaction commits."""
    known = people.known_by(db, given)
    others = people.known_by_leads(db, known.leads)
    person = (
        given
        | dict.fromkeys(known.phones | others.phones, "phone")
        | dict.fromkeys(known.emails | others.emails, "email")
    )
    people.lock(db, person)
    new = people.suppress(db, person.items(), source=source, now=ctx.now, **values)
    cancelled = stop_person(db, person, "stopped_optout", REASON, ctx.now)
    db.flush()
    for key in new:
        ctx.emit(PersonSuppressed(person_key=key))
    return Suppressed(addresses=len(person), cancelled=cancelled)


def silence_address(ctx: Context, db: Session, address: str, *, source: str) -> None:
    """Somebody complained to the provider of what we sent to this e-mail address."""
    key = people.key_of(ctx.settings.suppression_key, "email", normalise_email(address))
    if key is not None:
        silence(ctx, db, {key: "email"}, source=source, channel="email")
