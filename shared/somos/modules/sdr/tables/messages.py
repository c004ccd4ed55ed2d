"""Messages to people."""

from datetime import datetime
from typing import Any, ClassVar, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.sdr.rules.machines import (
    MESSAGE,
    NEEDS_APPROVAL,
)
from somos.modules.sdr.rules.words import Author, Channel, MessageKind
from somos.policy.scopes import Everyone


class OutreachMessage(Versioned, Table):
    """One message to one person. `left_at` is set while it may be with the person; caps count it."""

    __tablename__ = "outreach_messages"
    __table_args__ = (
        one_of("channel", get_args(Channel)),
        one_of("state", MESSAGE.states),
        one_of("kind", get_args(MessageKind)),
        one_of("author", get_args(Author)),
        CheckConstraint(f"approval_id is not null or state not in {NEEDS_APPROVAL}", name="approved"),
        UniqueConstraint("enrolment_id", "step_no"),
        Index("uq_outreach_messages_provider", "channel", "provider_id", unique=True),
        Index("ix_outreach_messages_phone", "phone_key", "left_at"),
        Index("ix_outreach_messages_email", "email_key", "left_at"),
        Index("ix_outreach_messages_jid", "jid"),
        Index("ix_outreach_messages_sender", "sender_id", "left_at"),
        Index("ix_outreach_messages_lead", "lead_id"),
        Index("ix_outreach_messages_state", "state", "id"),
        *listed("campaign_id", "channel", "kind"),
        {"schema": "sdr"},
    )
    __scope__ = Everyone()
    __redact__: ClassVar[frozenset[str]] = frozenset(
        {"to_address", "jid", "subject", "text", "drafted_text", "evidence", "ended_reason"}
    )

    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("sdr.outreach_campaigns.id"))
    enrolment_id: Mapped[UUID | None] = mapped_column(ForeignKey("sdr.enrolments.id"))
    step_no: Mapped[int | None]
    lead_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(default="first_contact")
    channel: Mapped[str]
    sender_id: Mapped[UUID] = mapped_column(ForeignKey("sdr.senders.id"))
    to_address: Mapped[str]
    jid: Mapped[str | None]
    phone_key: Mapped[str | None]
    email_key: Mapped[str | None]
    zone: Mapped[str] = mapped_column(default="America/Sao_Paulo")
    uf: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="drafted")
    subject: Mapped[str | None]
    text: Mapped[str] = mapped_column(default="")
    text_hash: Mapped[str | None]
    instruction: Mapped[str | None]
    # What the model wrote, kept when a person changes it: the pair is an example for later drafts.
    drafted_text: Mapped[str | None]
    evidence: Mapped[list[Any] | None]
    author: Mapped[str] = mapped_column(default="agent")
    author_id: Mapped[UUID | None]
    model: Mapped[str | None]
    prompt_version: Mapped[str | None]
    tokens_in: Mapped[int] = mapped_column(default=0)
    tokens_out: Mapped[int] = mapped_column(default=0)
    drafted_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    approval_id: Mapped[UUID | None] = mapped_column(ForeignKey("sdr.approvals.id"))
    approved_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    waiting_for: Mapped[str | None]
    tries: Mapped[int] = mapped_column(default=0)
    left_at: Mapped[datetime | None]
    sandbox: Mapped[bool] = mapped_column(default=False)
    provider_id: Mapped[str | None]
    rfc_id: Mapped[str | None] = mapped_column(index=True)  # the Message-ID that an e-mail's answer names
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    # When people were told that no receipt came for a message that the provider had taken.
    unconfirmed_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]
    erased_at: Mapped[datetime | None]
