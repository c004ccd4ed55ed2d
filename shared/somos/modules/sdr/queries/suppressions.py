"""Who asked to be left alone, and which addresses are dead."""

from collections.abc import Collection, Iterable

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from somos.kernel.keys import PersonKeys
from somos.mesh.runtime import current
from somos.modules.sdr.tables import Suppression


def is_suppressed(db: Session, keys: PersonKeys) -> bool:
    """Whether this person asked never to be written to; one dead address alone does not count."""
    return asked_to_be_left_alone(db, keys.hashes(current().settings.suppression_key))


def suppressed_among(db: Session, persons: Iterable[PersonKeys]) -> set[PersonKeys]:
    """Of these persons, those that `is_suppressed`: one query for a whole file."""
    secret = current().settings.suppression_key
    hashes = {person: person.hashes(secret) for person in persons}
    wanted = {key for keys in hashes.values() for key in keys}
    asked = select(Suppression.key).where(Suppression.key.in_(wanted), Suppression.reach == "person")
    found = set(db.scalars(asked))
    return {person for person, keys in hashes.items() if found.intersection(keys)}


def may_not_be_written_to(db: Session, keys: Collection[str], address_key: str | None = None) -> bool:
    """Whether any key asked to be left alone, or the one address that would be used is dead."""
    return asked_to_be_left_alone(db, keys) or (address_key is not None and is_dead(db, address_key))


def asked_to_be_left_alone(db: Session, keys: Collection[str]) -> bool:
    """Whether the person behind any of these keys wants nothing from us, on any channel."""
    asked = exists().where(Suppression.key.in_(keys), Suppression.reach == "person")
    return bool(db.scalar(select(asked)))


def is_dead(db: Session, address_key: str) -> bool:
    """Whether this one address bounced."""
    bounced = exists().where(Suppression.key == address_key, Suppression.reach == "address")
    return bool(db.scalar(select(bounced)))
