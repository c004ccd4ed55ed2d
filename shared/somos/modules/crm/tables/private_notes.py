"""What people keep for themselves about deals."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, one_of
from somos.policy.scopes import Own

NOTE_KINDS = ("note", "email_sent", "email_received")


class PrivateNote(Table, Versioned):
    """What a person keeps for themselves about a deal: a note, or a message of their own mailbox."""

    __tablename__ = "private_notes"
    __table_args__ = (
        one_of("kind", NOTE_KINDS),
        Index("ix_private_notes_deal_id", "deal_id", "author_id"),
        Index("ix_private_notes_author_id", "author_id", "happened_at", "id"),
        {"schema": "crm"},
    )
    __scope__ = Own("author_id", private=True)
    __redact__ = frozenset({"subject", "body"})

    deal_id: Mapped[UUID] = mapped_column(ForeignKey("crm.deals.id", ondelete="CASCADE"))
    author_id: Mapped[UUID]
    kind: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str | None]
    happened_at: Mapped[datetime]
