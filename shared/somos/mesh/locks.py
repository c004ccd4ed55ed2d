"""Locks on what is no row, a person for one: who takes the same key waits until this transaction ends."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

# Taken in the order of the array.
_TAKE = text("select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest(cast(:keys as text[])) as key")


def take(db: Session, kind: str, keys: Iterable[str | None]) -> None:
    """Lock these keys of a kind, each once and in one order; None is no key."""
    ordered = sorted({f"{kind}:{key}" for key in keys if key is not None})
    if ordered:
        db.execute(_TAKE, {"keys": ordered})
