"""Who asked to be left alone, and which addresses are dead."""

from collections.abc import Collection, Iterable

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from somos.kernel.keys import PersonKeys
from somos.mesh.runtime import current
from somos.modules.sdr.tables.suppressions import Suppression


def is_suppressed(db: Session, keys: PersonKeys) -> bool:
    """Whether this person asked never to be written to; one dead address alone does not count."""
    return asked_to_be_left_alone(db, keys.hashes(current().settings.suppression_key))


def suppressed_among(db: Session, persons: Iterable[PersonKeys]) -> set[PersonKeys]:
    """Of these persons, those that `is_suppressed`: one query for a whole file."""
    secret = current().settings.suppression_key
    hashes = {person: person.hashes(secret) for person in persons}
    all_keys = {key for keys in hashes.values() for key in keys}
    suppressed = select(Suppression.key).where(Suppression.key.in_(all_keys), Suppression.reach == "person")
    suppressed_keys = set(db.scalars(suppressed))
    return {person for person, keys in hashes.items() if suppressed_keys.intersection(keys)}


def reaches(db: Session, keys: Collection[str]) -> set[tuple[str, str]]:
    """Of these keys, those that are suppressed, each with its reach: `person`, or the `address` alone."""
    rows = db.execute(select(Suppression.key, Suppression.reach).where(Suppression.key.in_(keys))) if keys else ()
    return {(row.key, row.reach) for row in rows}


def asked_to_be_left_alone(db: Session, keys: Collection[str]) -> bool:
    """Whether the person behind any of these keys wants nothing from us, on any channel."""
    suppressed = exists().where(Suppression.key.in_(keys), Suppression.reach == "person")
    return bool(db.scalar(select(suppressed)))
