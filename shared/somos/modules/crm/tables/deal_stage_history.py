"""Where deals stood, from when to when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, one_of
from somos.modules.crm.rules.deals import DEAL
from somos.modules.crm.tables.deals import Deal
from somos.policy.scopes import Via


class DealStageHistory(Table):
    """Where a deal stood, from when to when.

    The constraints make a gap or an overlap impossible: spans are numbered without a hole, each but the first
    points at the one before it through the instant they share, and one span at most is running.
    """

    __tablename__ = "deal_stage_history"
    __table_args__ = (
        one_of("state", DEAL.states),
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

    deal_id: Mapped[UUID] = mapped_column(ForeignKey("crm.deals.id", ondelete="CASCADE"))
    step: Mapped[int]
    step_before: Mapped[int | None] = mapped_column(Computed("nullif(step - 1, 0)", persisted=True))
    stage_id: Mapped[UUID] = mapped_column(ForeignKey("crm.deal_stages.id"), index=True)
    state: Mapped[str]
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    # What the span that follows says of itself, so that reports need not look for it.
    next_state: Mapped[str | None]
    next_stage_id: Mapped[UUID | None]
