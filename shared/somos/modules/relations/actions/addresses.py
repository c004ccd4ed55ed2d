"""What outreach states of the people it writes to."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from somos.mesh import clock
from somos.mesh.ids import uuid7

# In one order, so that two messages to one person never wait for each other.
_CONTACTED = text("""
insert into relations.addresses (id, key, suppressed, last_contact_at, created_at, updated_at)
select k.id, k.key, false, :at, :now, :now
from unnest(cast(:ids as uuid[]), cast(:keys as text[])) as k(id, key) order by k.key
on conflict (key) do update set last_contact_at = excluded.last_contact_at, updated_at = :now
where addresses.last_contact_at is null or addresses.last_contact_at < excluded.last_contact_at
""")
_SUPPRESSED = text("""
insert into relations.addresses (id, key, suppressed, created_at, updated_at) values (:id, :key, true, :now, :now)
on conflict (key) do update set suppressed = true, updated_at = :now where not addresses.suppressed
""")
_FORGET = text("""
update relations.addresses set last_contact_at = null, updated_at = :now where key = any(:keys) and suppressed
""")
_DELETE = text("delete from relations.addresses where key = any(:keys) and not suppressed")


def contacted(db: Session, keys: Sequence[str], at: datetime) -> None:
    """Something left to the person of these keys; an earlier contact, told late, changes nothing."""
    db.execute(_CONTACTED, {"ids": [uuid7() for _ in keys], "keys": list(keys), "at": at, "now": clock.now()})


def suppressed(db: Session, key: str) -> None:
    """For good."""
    db.execute(_SUPPRESSED, {"id": uuid7(), "key": key, "now": clock.now()})


def forget(db: Session, keys: Sequence[str]) -> None:
    """All but that they asked to be left alone."""
    db.execute(_FORGET, {"keys": list(keys), "now": clock.now()})
    db.execute(_DELETE, {"keys": list(keys)})
