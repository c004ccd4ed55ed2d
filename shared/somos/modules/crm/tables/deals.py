"""Pipelines and their stages; deals, where they have been, and what was done about them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, validates

from somos.kernel.text import fold
from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.crm.rules.deals import STATES
from somos.policy.scopes import Everyone, Own, Via

ACTIVITY_KINDS = ("note", "call", "meeting", "task", "message_sent", "message_received", "stage_change")


class Pipeline(Table, Versioned):
    """A sales process with its own stages: publicidade, institucional, evento, recorrente."""

    __tablename__ = "pipelines"
    __table_args__ = (UniqueConstraint("code"), {"schema": "crm"})
    __scope__ = Everyone(writers="crm.configure")

    code: Mapped[str]
    name: Mapped[str]
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)


class DealStage(Table, Versioned):
    """A column of the board: how likely its deals are, how long they may stay, what they must hold."""

    __tablename__ = "deal_stages"
    __table_args__ = (
        UniqueConstraint("pipeline_id", "name"),
        CheckConstraint("probability between 0 and 100", name="probability"),
        CheckConstraint("max_days > 0", name="max_days"),
        {"schema": "crm"},
    )
    __scope__ = Everyone(writers="crm.configure")

    pipeline_id: Mapped[UUID] = mapped_column(ForeignKey(Pipeline.id, ondelete="CASCADE"), index=True)
    name: Mapped[str]
    position: Mapped[int]
    probability: Mapped[int]
    max_days: Mapped[int | None]
    required_fields: Mapped[list[Any]] = mapped_column(default=list)


class LostReason(Table, Versioned):
    """Why deals are lost, in the words the house counts them by."""

    __tablename__ = "lost_reasons"
    __table_args__ = (UniqueConstraint("name"), {"schema": "crm"})
    __scope__ = Everyone(writers="crm.configure")

    name: Mapped[str]
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)


class Deal(Table, Versioned):
    """A sale under way, won or lost."""

    __tablename__ = "deals"
    __table_args__ = (
        one_of("state", STATES),
        CheckConstraint("value_cents >= 0", name="value_cents"),
        CheckConstraint("probability between 0 and 100", name="probability"),
        CheckConstraint("(state = 'lost') = (lost_reason_id is not null)", name="lost_has_reason"),
        CheckConstraint("(state = 'open') = (closed_at is null)", name="closed_has_time"),
        # The board and the forecast read this index alone.
        Index(
            "ix_deals_standing",
            "pipeline_id",
            "stage_id",
            "stage_entered_at",
            "id",
            postgresql_include=["owner_id", "value_cents", "probability", "expected_close_date"],
            postgresql_where=text("state = 'open'"),
        ),
        # What a seller reaches: own deals, and who is behind them.
        Index("ix_deals_reached", "owner_id", "id", postgresql_include=["company_id", "contact_id"]),
        *listed("title_key", "value_cents", "expected_close_date", "stage_entered_at", "created_at"),
        *listed("pipeline_id", "stage_id", "state", "lost_reason_id", "origin"),
        {"schema": "crm"},
    )
    __scope__ = Own("owner_id")
    __searched__ = ("title_key",)

    title: Mapped[str]
    title_key: Mapped[str]
    pipeline_id: Mapped[UUID] = mapped_column(ForeignKey(Pipeline.id))
    stage_id: Mapped[UUID] = mapped_column(ForeignKey(DealStage.id))
    stage_entered_at: Mapped[datetime]
    owner_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None] = mapped_column(ForeignKey("crm.companies.id"), index=True)
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("crm.contacts.id"), index=True)
    value_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    probability: Mapped[int]
    expected_close_date: Mapped[date | None]
    state: Mapped[str] = mapped_column(default="open")
    closed_at: Mapped[datetime | None]
    closed_on: Mapped[date | None]
    lost_reason_id: Mapped[UUID | None] = mapped_column(ForeignKey(LostReason.id))
    lost_note: Mapped[str | None]
    win_override_reason: Mapped[str | None]
    lead_id: Mapped[UUID | None] = mapped_column(unique=True)
    campaign_id: Mapped[UUID | None]
    origin: Mapped[str] = mapped_column(default="manual")

    @validates("title")
    def _fold_title(self, _: str, title: str) -> str:
        self.title_key = fold(title)
        return title


class DealStageHistory(Table):
    """Where a deal stood, from when to when.

    The constraints make a gap or an overlap impossible: spans are numbered without a hole, each but the first
    points at the one before it through the instant they share, and one span at most is running.
    """

    __tablename__ = "deal_stage_history"
    __table_args__ = (
        one_of("state", STATES),
        CheckConstraint("step > 0", name="step"),
        CheckConstraint("left_at >= entered_at", name="forward"),
        CheckConstraint("(left_at is null) = (num_nonnulls(next_state, next_stage_id) = 0)", name="next"),
        UniqueConstraint("deal_id", "step"),
        UniqueConstraint("deal_id", "step", "left_at"),
        Index("uq_deal_stage_history_running", "deal_id", unique=True, postgresql_where=text("left_at is null")),
        ForeignKeyConstraint(
            ["deal_id", "step_before", "entered_at"],
            [
                "crm.deal_stage_history.deal_id",
                "crm.deal_stage_history.step",
                "crm.deal_stage_history.left_at",
            ],
            name="fk_deal_stage_history_unbroken",
        ),
        # The report of stages reads this index alone.
        Index(
            "ix_deal_stage_history_passed",
            "stage_id",
            "entered_at",
            postgresql_include=["deal_id", "left_at", "next_state", "next_stage_id"],
            postgresql_where=text("state = 'open'"),
        ),
        {"schema": "crm"},
    )
    __scope__ = Via(Deal, "deal_id")

    deal_id: Mapped[UUID] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"))
    step: Mapped[int]
    step_before: Mapped[int | None] = mapped_column(Computed("nullif(step - 1, 0)", persisted=True))
    stage_id: Mapped[UUID] = mapped_column(ForeignKey(DealStage.id), index=True)
    state: Mapped[str]
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    # What the span that follows says of itself, so that reports need not look for it.
    next_state: Mapped[str | None]
    next_stage_id: Mapped[UUID | None]


class DealActivity(Table, Versioned):
    """Something done, said or to be done about a deal. A message is a reference: its text stays in sdr."""

    __tablename__ = "deal_activities"
    __table_args__ = (
        one_of("kind", ACTIVITY_KINDS),
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

    deal_id: Mapped[UUID] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"))
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


class PrivateNote(Table, Versioned):
    """What a person keeps for themselves about a deal: a note, or a message of their own mailbox."""

    __tablename__ = "private_notes"
    __table_args__ = (
        one_of("kind", ["note", "email_sent", "email_received"]),
        Index("ix_private_notes_deal_id", "deal_id", "author_id"),
        Index("ix_private_notes_author_id", "author_id", "happened_at", "id"),
        {"schema": "crm"},
    )
    __scope__ = Own("author_id", private=True)
    __redact__ = frozenset({"subject", "body"})

    deal_id: Mapped[UUID] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"))
    author_id: Mapped[UUID]
    kind: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str | None]
    happened_at: Mapped[datetime]
