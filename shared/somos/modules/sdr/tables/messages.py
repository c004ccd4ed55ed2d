"""Messages, the approvals that bind them, and what the provider reported of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.sdr.rules.machines import APPROVAL, MESSAGE, NEEDS_APPROVAL
from somos.modules.sdr.tables.cadences import Enrolment
from somos.modules.sdr.tables.campaigns import OutreachCampaign
from somos.modules.sdr.tables.guards import frozen_when
from somos.modules.sdr.tables.senders import CHANNELS, Sender
from somos.policy.scopes import Everyone


class Approval(Table):
    """A request that a person decides: the subject's type, id, version and hash are part of it."""

    __tablename__ = "approvals"
    __table_args__ = (
        one_of("state", APPROVAL),
        CheckConstraint("state not in ('approved', 'rejected') or decided_by is not null", name="decided"),
        Index(
            "uq_approvals_pending",
            "subject_type",
            "subject_id",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
        *listed("state", "subject_type"),
        {"schema": "sdr"},
    )
    # The second wall: an agent's key cannot even write the row.
    __scope__ = Everyone(writers="outreach.approve")

    subject_type: Mapped[str]
    subject_id: Mapped[UUID] = mapped_column(index=True)
    subject_version: Mapped[int]
    subject_hash: Mapped[str]
    state: Mapped[str] = mapped_column(default="pending")
    requested_by: Mapped[str]
    expires_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]

    @classmethod
    def __extra_ddl__(cls, app_role: str) -> Iterable[str]:
        return frozen_when("sdr.approvals", "old.state <> 'pending'", "a decided approval never changes")


class OutreachMessage(Versioned, Table):
    """One message to one person. `left_at` is set while it may be with the person; caps count it."""

    __tablename__ = "outreach_messages"
    __table_args__ = (
        one_of("channel", CHANNELS),
        one_of("state", MESSAGE),
        one_of("kind", ["first_contact", "follow_up", "second_channel", "reply"]),
        one_of("author", ["agent", "person"]),
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

    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey(OutreachCampaign.id))
    enrolment_id: Mapped[UUID | None] = mapped_column(ForeignKey(Enrolment.id))
    step_no: Mapped[int | None]
    lead_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(default="first_contact")
    channel: Mapped[str]
    sender_id: Mapped[UUID] = mapped_column(ForeignKey(Sender.id))
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
    approval_id: Mapped[UUID | None] = mapped_column(ForeignKey(Approval.id))
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


class MessageReceipt(Table):
    """What a provider said of a message, kept even when it arrives before we know the message's id there."""

    __tablename__ = "message_receipts"
    __table_args__ = (
        UniqueConstraint("channel", "provider_id", "receipt"),
        one_of("receipt", ["sent", "delayed", "delivered", "read", "opened", "failed"]),
        {"schema": "sdr"},
    )
    __scope__ = Everyone()
    __redact__: ClassVar[frozenset[str]] = frozenset({"detail"})
    __audited__: ClassVar[tuple[str, ...]] = ("update", "delete")

    channel: Mapped[str]
    provider_id: Mapped[str]
    receipt: Mapped[str]
    at: Mapped[datetime]
    detail: Mapped[str | None]
    rfc_id: Mapped[str | None]  # the mail's own id, which an answer names
