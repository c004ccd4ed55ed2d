"""Who asked to be left alone, and when we last wrote to somebody."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from somos.kernel.keys import PersonKeys
from somos.mesh.runtime import current
from somos.modules.relations.tables.addresses import Address


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a person by all their addresses."""

    suppressed: bool
    last_contact_at: datetime | None


def person_of(db: Session, keys: PersonKeys) -> Person:
    """Whether this person asked never to be written to, and when something last left to them, on any channel."""
    hashes = keys.hashes(current().settings.suppression_key)
    known = select(func.bool_or(Address.suppressed), func.max(Address.last_contact_at)).where(Address.key.in_(hashes))
    suppressed, last_contact_at = db.execute(known).one() if hashes else (False, None)
    return Person(bool(suppressed), last_contact_at)


def suppressed_among(db: Session, persons: Iterable[PersonKeys]) -> set[PersonKeys]:
    """Of these persons, those who asked never to be written to: one query for a whole file."""
    secret = current().settings.suppression_key
    hashes = {person: person.hashes(secret) for person in persons}
    all_keys = {key for keys in hashes.values() for key in keys}
    suppressed = set(db.scalars(select(Address.key).where(Address.key.in_(all_keys), Address.suppressed)))
    return {person for person, keys in hashes.items() if suppressed.intersection(keys)}
