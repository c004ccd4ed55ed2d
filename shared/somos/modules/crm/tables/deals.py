"""Sales under way, won or lost."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from somos.kernel.text import fold
from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.crm.rules.deals import DEAL
from somos.policy.scopes import Own


class Deal(Table, Versioned):
    """A sale under way, won or lost."""

    __tablename__ = "deals"
    __table_args__ = (
        one_of("state", DEAL.states),
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
    pipeline_id: Mapped[UUID] = mapped_column(ForeignKey("crm.pipelines.id"))
    stage_id: Mapped[UUID] = mapped_column(ForeignKey("crm.deal_stages.id"))
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
    lost_reason_id: Mapped[UUID | None] = mapped_column(ForeignKey("crm.lost_reasons.id"))
    lost_note: Mapped[str | None]
    win_override_reason: Mapped[str | None]
    lead_id: Mapped[UUID | None] = mapped_column(unique=True)
    campaign_id: Mapped[UUID | None]
    origin: Mapped[str] = mapped_column(default="manual")

    @validates("title")
    def _fold_title(self, _: str, title: str) -> str:
        self.title_key = fold(title)
        return title
