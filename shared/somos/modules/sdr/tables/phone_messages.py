"""What ours wrote to people on the phone itself."""

from datetime import datetime
from typing import ClassVar, get_args
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, one_of
from somos.modules.sdr.rules.words import Channel
from somos.policy.scopes import Everyone


class PhoneMessage(Table):
    """What one of ours wrote to somebody on the connected phone, past the system."""

    __tablename__ = "phone_messages"
    __table_args__ = (
        UniqueConstraint("channel", "provider_id"),
        one_of("channel", get_args(Channel)),
        Index("ix_phone_messages_lead", "lead_id", "id"),
        Index("ix_phone_messages_phone", "phone_key", "at"),
        {"schema": "sdr"},
    )
    __scope__ = Everyone()
    __redact__: ClassVar[frozenset[str]] = frozenset({"text"})

    channel: Mapped[str]
    provider_id: Mapped[str]
    sender_id: Mapped[UUID] = mapped_column(ForeignKey("sdr.senders.id"), index=True)
    lead_id: Mapped[UUID]
    phone_key: Mapped[str | None]
    at: Mapped[datetime]
    text: Mapped[str]
    erased_at: Mapped[datetime | None]
