"""Adds to a deal's activities."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.mesh.ids import uuid7
from somos.modules.crm.tables import Deal, DealActivity
from somos.policy.principals import Principal


def record(
    db: Session, deal_id: UUID, kind: str, subject: str, author: Principal, now: datetime, **more: Any
) -> DealActivity:
    """Something happened to a deal, by this author."""
    activity = DealActivity(
        deal_id=deal_id,
        kind=kind,
        subject=subject,
        author_id=author.id if author.is_person else None,
        author_kind=author.kind.value,
        happened_at=more.pop("happened_at", None) or now,
        **more,
    )
    db.add(activity)
    return activity


def record_message(
    db: Session,
    lead_id: UUID,
    kind: str,
    subject: str,
    reference_id: UUID,
    now: datetime,
    channel: str | None = None,
) -> UUID | None:
    """A message of a conversation, on the deal its lead became; once, however often it is told. The deal's id."""
    deal_id = db.scalar(select(Deal.id).where(Deal.lead_id == lead_id))
    if deal_id is None:
        return None
    db.execute(
        insert(DealActivity)
        .values(
            id=uuid7(),
            version=1,
            deal_id=deal_id,
            kind=kind,
            subject=subject,
            author_kind="system",
            happened_at=now,
            channel=channel,
            reference_id=reference_id,
        )
        .on_conflict_do_nothing(index_elements=[DealActivity.reference_id])
    )
    return deal_id


def has_next_step(db: Session, deal_id: UUID) -> bool:
    """Whether something is planned for the deal."""
    pending = (DealActivity.due_at.is_not(None), DealActivity.done_at.is_(None))
    return bool(db.scalar(select(exists().where(DealActivity.deal_id == deal_id, *pending))))
