"""A person as outreach knows one: keyed hashes of phone and e-mail, one lock, and what they asked of us."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.kernel.keys import KeyKind, key_hash
from somos.mesh.ids import uuid7
from somos.modules.sdr.tables import Enrolment, HiddenNumber, OutreachMessage, Reconsent, Response, Suppression


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


def remember_hidden(db: Session, lid: str | None, phone_key: str | None, now: datetime) -> None:
    """Whose this id is; a number that changed hands takes its id along. The person is locked."""
    if not lid or not phone_key:
        return
    seen = insert(HiddenNumber).values(id=uuid7(), lid=lid, phone_key=phone_key, created_at=now, updated_at=now)
    db.execute(
        seen.on_conflict_do_update(
            index_elements=["lid"],
            set_={"phone_key": seen.excluded.phone_key, "updated_at": now},
            where=HiddenNumber.phone_key != seen.excluded.phone_key,
        )
    )


def lock(db: Session, keys: Iterable[str]) -> None:
    """Until the end of the transaction, nobody else sends to, hears or suppresses the people of these keys.

    Always the first lock that a transaction takes, and in one order, so that two never wait for each other.
    """
    for key in sorted(set(keys)):
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"sdr.person:{key}", 0))))


def lock_ids(db: Session, *ids: str | None) -> None:
    """Until the end of the transaction, nobody else learns to whom these ids of a provider belong.

    Whoever stores a report, or an answer, that comes before its message is known either sees the message or is
    seen by it. Before any person's lock, except where the message is learnt, which is once.
    """
    lock(db, [f"id:{id}" for id in ids if id])


def keys_of(row: OutreachMessage | Enrolment) -> list[str]:
    """What to lock for a message or an enrolment; a lead without phone and e-mail is its own key."""
    return _keys(row)


def lock_for(db: Session, message_id: UUID) -> None:
    """Lock the person of a message, before its row."""
    _lock_for(db, OutreachMessage, message_id)


def lock_for_all(db: Session, message_ids: Collection[UUID]) -> None:
    """Lock the people of several messages, before their rows; one by one they would come in no order."""
    columns = select(OutreachMessage.phone_key, OutreachMessage.email_key, OutreachMessage.lead_id)
    found = db.execute(columns.where(OutreachMessage.id.in_(message_ids))).all() if message_ids else []
    lock(db, {key for row in found for key in _keys(row)})


def lock_for_enrolment(db: Session, enrolment_id: UUID) -> None:
    """Lock the person of an enrolment, before its row."""
    _lock_for(db, Enrolment, enrolment_id)


def _lock_for(db: Session, table: type[OutreachMessage] | type[Enrolment], id: UUID) -> None:
    # Columns, not the row: it is read again, as it is once the lock is held.
    found = db.execute(select(table.phone_key, table.email_key, table.lead_id).where(table.id == id)).first()
    if found is not None:
        lock(db, _keys(found))


def _keys(row: Any) -> list[str]:
    return [key for key in (row.phone_key, row.email_key) if key] or [f"lead:{row.lead_id}"]


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


_KEYS = any_(bindparam("keys", type_=ARRAY(Text)))
# Everything that the person of `who(row)` wrote to us, from any address and on any channel.
HEARD: Final = or_(
    Response.from_key == _KEYS,
    Response.lead_id == bindparam("lead"),
    Response.lead_id.in_(
        select(OutreachMessage.lead_id).where(
            or_(OutreachMessage.phone_key == _KEYS, OutreachMessage.email_key == _KEYS)
        )
    ),
)


def who(row: OutreachMessage | Enrolment) -> dict[str, Any]:
    """The values that go into `HEARD` for the person of this row."""
    return {"keys": keys_of(row), "lead": row.lead_id}


def suppress(
    db: Session,
    keys: Iterable[tuple[str, str]],
    *,
    source: str,
    reach: str = "person",
    channel: str | None = None,
    response_id: UUID | None = None,
    message_id: UUID | None = None,
    reason: str | None = None,
    added_by: UUID | None = None,
    now: datetime,
) -> list[str]:
    """Never write to these (key, kind) again; the keys that were not suppressed before.

    The caller holds the person's lock. What they had agreed to meanwhile is revoked with it.
    """
    new: list[str] = []
    wanted = dict(keys)
    for key, kind in wanted.items():
        made = db.execute(
            insert(Suppression)
            .values(
                id=uuid7(),
                key=key,
                kind=kind,
                reach=reach,
                source=source,
                channel=channel,
                response_id=response_id,
                message_id=message_id,
                reason=reason,
                added_by=added_by,
                created_at=now,
            )
            .on_conflict_do_nothing(index_elements=["key", "reach"])
            .returning(Suppression.id)
        ).first()
        if made:
            new.append(key)
    if reach == "person":
        open_ones = select(Reconsent).where(Reconsent.key.in_(wanted), Reconsent.revoked_at.is_(None))
        for reconsent in db.scalars(open_ones):
            reconsent.revoked_at = now
    return new


def is_suppressed(db: Session, keys: Collection[str], address_key: str | None = None) -> bool:
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


def reconsent(db: Session, response: Response, now: datetime) -> None:
    """A suppressed person wrote to us by themselves and wants to talk: on that channel they may be answered."""
    if response.from_key is None or not is_suppressed(db, [response.from_key]):
        return
    db.execute(
        insert(Reconsent)
        .values(
            id=uuid7(),
            key=response.from_key,
            channel=response.channel,
            response_id=response.id,
            quote=response.text[:500],
            at=now,
        )
        .on_conflict_do_nothing(index_elements=["response_id"])
    )
