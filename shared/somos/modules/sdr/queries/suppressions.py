"""Who asked to be left alone, and which addresses are dead."""

from collections.abc import Collection

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from somos.modules.sdr.tables.suppressions import Suppression


def reaches(db: Session, keys: Collection[str]) -> set[tuple[str, str]]:
    """Of these keys, those that are suppressed, each with its reach: `person`, or the `address` alone."""
    rows = db.execute(select(Suppression.key, Suppression.reach).where(Suppression.key.in_(keys))) if keys else ()
    return {(row.key, row.reach) for row in rows}


def asked_to_be_left_alone(db: Session, keys: Collection[str]) -> bool:
    """Whether the person behind any of these keys wants nothing from us, on any channel."""
    suppressed = exists().where(Suppression.key.in_(keys), Suppression.reach == "person")
    return bool(db.scalar(select(suppressed)))
