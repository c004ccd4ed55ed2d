"""Locks on what is no row, a person for one: who takes the same key waits until this transaction ends."""

from collections.abc import Iterable

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

# Taken in the order of the array.
_TAKE = text("select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest(cast(:keys as text[])) as key")


def finding(kind: str, keys: str) -> TextClause:
    """What `take` does, as one statement for the keys that a query finds; its one column is named `key`."""
    return text(
        f"select pg_advisory_xact_lock(hashtextextended('{kind}:' || key, 0)) "  # noqa: S608  (our own constants)
        f'from (select distinct key collate "C" as key from ({keys}) found order by 1) ordered'
    )


def take(db: Session, kind: str, keys: Iterable[str | None]) -> None:
    """Lock these keys of a kind, each once and in one order; None is no key."""
    ordered = sorted({f"{kind}:{key}" for key in keys if key is not None})
    if ordered:
        db.execute(_TAKE, {"keys": ordered})
