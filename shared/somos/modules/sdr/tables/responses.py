"""What people wrote to us."""

from datetime import date, datetime
from typing import Any, ClassVar, get_args
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.sdr.rules.inbound import LABELS
from somos.modules.sdr.rules.words import Channel, Classifier, ResponseKind, ResponseState
from somos.policy.scopes import Everyone


class Response(Versioned, Table):
    """One inbound message, unique by the provider's own id, however often it is delivered or pulled."""

    __tablename__ = "responses"
    __table_args__ = (
        UniqueConstraint("channel", "provider_message_id"),
        one_of("channel", get_args(Channel)),
        one_of("state", get_args(ResponseState)),
        one_of("label", LABELS),
        one_of("kind", get_args(ResponseKind)),
        one_of("classified_by", get_args(Classifier)),
        Index("ix_responses_from", "from_key", "id"),
        Index("ix_responses_lead", "lead_id", "id"),
        Index("ix_responses_answered_ids", "answered_ids", postgresql_using="gin"),
        *listed("campaign_id", "channel", "label", "state", "later_date"),
        {"schema": "sdr"},
    )
    __scope__ = Everyone()
    __redact__: ClassVar[frozenset[str]] = frozenset(
        {"from_address", "from_name", "lid", "subject", "text", "quote", "headers"}
    )

    channel: Mapped[str]
    provider_message_id: Mapped[str]
    sender_id: Mapped[UUID | None]
    received_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(default="message", server_default="message")
    # The message that this one is a later text of; both stay.
    edits: Mapped[UUID | None] = mapped_column(ForeignKey("sdr.responses.id"), index=True)
    from_address: Mapped[str]
    from_key: Mapped[str | None]
    from_name: Mapped[str | None]
    # Every message that a mail says it answers, the nearest first.
    answered_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    lid: Mapped[str | None] = mapped_column(index=True)
    subject: Mapped[str | None]
    text: Mapped[str]
    headers: Mapped[dict[str, Any] | None]
    state: Mapped[str] = mapped_column(default="stored")
    lead_id: Mapped[UUID | None]
    campaign_id: Mapped[UUID | None]
    message_id: Mapped[UUID | None]
    label: Mapped[str | None]
    confidence: Mapped[float | None]
    quote: Mapped[str | None]
    later_date: Mapped[date | None]  # of a `later`, the day they named; of an absence, its last
    classified_by: Mapped[str | None]
    classified_by_id: Mapped[UUID | None]
    classified_at: Mapped[datetime | None]
    model: Mapped[str | None]
    handled_at: Mapped[datetime | None]
    pulled: Mapped[bool] = mapped_column(default=False)
    erased_at: Mapped[datetime | None]
