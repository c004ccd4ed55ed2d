"""One lock for each person."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from somos.modules.sdr.queries.people import keys_of_columns
from somos.modules.sdr.tables import Enrolment, OutreachMessage


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


def lock_for(db: Session, message_id: UUID) -> None:
    """Lock the person of a message, before its row."""
    _lock_for(db, OutreachMessage, message_id)


def lock_for_all(db: Session, message_ids: Collection[UUID]) -> None:
    """Lock the people of several messages, before their rows; one by one they would come in no order."""
    columns = select(OutreachMessage.phone_key, OutreachMessage.email_key, OutreachMessage.lead_id)
    found = db.execute(columns.where(OutreachMessage.id.in_(message_ids))).all() if message_ids else []
    lock(db, {key for row in found for key in keys_of_columns(row)})


def lock_for_enrolment(db: Session, enrolment_id: UUID) -> None:
    """Lock the person of an enrolment, before its row."""
    _lock_for(db, Enrolment, enrolment_id)


def _lock_for(db: Session, table: type[OutreachMessage] | type[Enrolment], id: UUID) -> None:
    # Columns, not the row: it is read again, as it is once the lock is held.
    found = db.execute(select(table.phone_key, table.email_key, table.lead_id).where(table.id == id)).first()
    if found is not None:
        lock(db, keys_of_columns(found))
