"""What was done about deals, and what is to be done."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.crm.tables.deals import Deal
from somos.policy.scopes import Via

# What people write down; the others are facts that the system writes.
WRITTEN = ("note", "call", "meeting", "task")
KINDS = (*WRITTEN, "message_sent", "message_received", "stage_change")


class DealActivity(Table, Versioned):
    """Something done, said or to be done about a deal. A message is a reference: its text stays in sdr."""

    __tablename__ = "deal_activities"
    __table_args__ = (
        one_of("kind", KINDS),
        UniqueConstraint("reference_id"),
        Index("ix_deal_activities_deal_id", "deal_id", "happened_at", "id"),
        *listed("happened_at", "due_at"),
        Index("ix_deal_activities_kind", "kind", "happened_at", "id"),
        Index("ix_deal_activities_assignee_id", "assignee_id", "happened_at", "id"),
        Index(
            "ix_deal_activities_to_do",
            "due_at",
            "id",
            postgresql_where=text("due_at is not null and done_at is null"),
        ),
        Index(
            "ix_deal_activities_pending",
            "deal_id",
            "due_at",
            postgresql_where=text("due_at is not null and done_at is null"),
        ),
        {"schema": "crm"},
    )
    __scope__ = Via(Deal, "deal_id")

    deal_id: Mapped[UUID] = mapped_column(ForeignKey("crm.deals.id", ondelete="CASCADE"))
    kind: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str | None]
    author_id: Mapped[UUID | None]
    author_kind: Mapped[str]
    assignee_id: Mapped[UUID | None]
    happened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    channel: Mapped[str | None]
    reference_id: Mapped[UUID | None]
