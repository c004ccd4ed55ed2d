"""A person as outreach knows one: keyed hashes of phone and e-mail, and what left to them and came from them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, or_, select
from sqlalchemy.orm import Session

from somos.kernel.keys import KeyKind, key_hash
from somos.mesh import locks
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.hidden_numbers import HiddenNumber
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.responses import Response

# What one transaction at a time locks for a person: nobody else sends to, reads from or suppresses them meanwhile.
PERSON: Final = "sdr.person"


@dataclass(frozen=True, slots=True)
class Known:
    """Everything by which we wrote to one person, and the leads that stand for them."""

    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    leads: frozenset[UUID] = frozenset()

    @property
    def keys(self) -> frozenset[str]:
        return self.phones | self.emails


def key_of(secret: str, kind: KeyKind, value: str | None) -> str | None:
    return key_hash(secret, kind, value) if value else None


def key_of_hidden(db: Session, lid: str | None) -> str | None:
    """The phone's key of somebody who shows only WhatsApp's own id, when both were once seen together."""
    return db.scalar(select(HiddenNumber.phone_key).where(HiddenNumber.lid == lid)) if lid else None


def keys_of(row: Any) -> list[str]:
    """What to lock for a message or an enrolment, or its columns; without phone and e-mail, the lead itself."""
    return [key for key in (row.phone_key, row.email_key) if key] or [f"lead:{row.lead_id}"]


def lock_people(db: Session, table: type[OutreachMessage] | type[Enrolment], ids: Collection[UUID]) -> None:
    """Lock the people of these messages or enrolments, before the rows, which are read again under that lock."""
    if ids:
        db.execute(_LOCK[table], {"ids": list(ids)})


def keys_of_ids(*ids: str | None) -> list[str]:
    """What to lock for the ids that a provider gives: nobody else learns meanwhile to whom they belong.

    Whoever stores a report, or an answer, that comes before its message is known either sees the message or is
    seen by it. Before any person's lock, except where the message is learnt, which is once.
    """
    return [f"id:{id}" for id in ids if id]


_KEYS_OF_ROWS = """
select unnest(
    coalesce(nullif(array_remove(array[phone_key, email_key], null), '{{}}'), array['lead:' || lead_id])
) as key from {table} where id = any(cast(:ids as uuid[]))
"""
_LOCK = {
    table: locks.finding(PERSON, _KEYS_OF_ROWS.format(table=table.__table__)) for table in (OutreachMessage, Enrolment)
}


def written_to(table: type[OutreachMessage] | type[Enrolment], keys: Collection[str]) -> ColumnElement[bool]:
    """Rows of the people of these keys."""
    return or_(table.phone_key.in_(keys), table.email_key.in_(keys))


def known_by(db: Session, keys: Collection[str]) -> Known:
    """The person behind these keys: also the other addresses of every lead that has one of them."""
    return _known(db, written_to(OutreachMessage, keys))


def known_by_leads(db: Session, leads: Collection[UUID]) -> Known:
    """The people that we know as these leads."""
    return _known(db, OutreachMessage.lead_id.in_(leads))


def _known(db: Session, condition: ColumnElement[bool]) -> Known:
    columns = select(OutreachMessage.phone_key, OutreachMessage.email_key, OutreachMessage.lead_id)
    rows = db.execute(columns.where(condition).distinct()).all()
    return Known(
        frozenset(row.phone_key for row in rows if row.phone_key),
        frozenset(row.email_key for row in rows if row.email_key),
        frozenset(row.lead_id for row in rows),
    )


def keys_of_writer(
    db: Session, channel: str, from_key: str | None, answered: OutreachMessage | None, lead_id: UUID | None
) -> dict[str, str]:
    """Every key of whoever wrote, and its kind: the address, the person written to, and the lead's others."""
    own = [from_key] if from_key else []
    if answered is not None:
        own += keys_of(answered)
    known = known_by(db, own)
    of_leads = known_by_leads(db, known.leads | ({lead_id} if lead_id else set()))
    own_key = {from_key: "email" if channel == "email" else "phone"} if from_key else {}
    return (
        own_key
        | dict.fromkeys(known.phones | of_leads.phones, "phone")
        | dict.fromkeys(known.emails | of_leads.emails, "email")
    )


_KEYS = any_(bindparam("keys", type_=ARRAY(Text)))
# Everything that the person of `who(row)` wrote to us, from any address and on any channel.
WROTE: Final = or_(
    Response.from_key == _KEYS,
    Response.lead_id == bindparam("lead"),
    Response.lead_id.in_(
        select(OutreachMessage.lead_id).where(
            or_(OutreachMessage.phone_key == _KEYS, OutreachMessage.email_key == _KEYS)
        )
    ),
)


def values_of_person(row: OutreachMessage | Enrolment) -> dict[str, Any]:
    """The values that go into `HEARD` for the person of this row."""
    return {"keys": keys_of(row), "lead": row.lead_id}
