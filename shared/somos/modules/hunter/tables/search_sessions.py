"""Searches under way and past."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, one_of
from somos.modules.hunter.rules.search_sessions import KINDS, LIVE_SESSIONS, SESSION
from somos.policy.scopes import Everyone

COUNTERS = (
    "found", "repeated", "ignored", "settled", "qualified", "rejected", "duplicates", "blocked", "undecided", "credits",
)  # fmt: skip


class SearchSession(Table):
    """One run of a profile, or one spreadsheet: its state and its counters, which never go down."""

    __tablename__ = "search_sessions"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("state", SESSION.states),
        CheckConstraint(" and ".join(f"{counter} >= 0" for counter in COUNTERS), name="counters"),
        CheckConstraint("settled <= found", name="settled"),
        # One live search per profile: asking again continues it.
        Index(
            "uq_search_sessions_live",
            "icp_id",
            unique=True,
            postgresql_where=text(f"kind = 'search' and state in {LIVE_SESSIONS}"),
        ),
        Index("ix_search_sessions_state", "state", "moved_at"),
        ForeignKeyConstraint(["icp_id", "icp_number"], ["hunter.icp_versions.icp_id", "hunter.icp_versions.number"]),
        {"schema": "hunter"},
    )
    __scope__ = Everyone()

    @classmethod
    def __extra_ddl__(cls, app_role: str) -> Iterable[str]:
        falls = " or ".join(f"new.{counter} < old.{counter}" for counter in COUNTERS)
        yield (
            "create or replace function hunter.counters_never_fall() returns trigger language plpgsql as $$ begin "
            f"if {falls} then raise exception 'search counters never go down' using errcode = 'check_violation'; "
            "end if; return new; end $$"
        )
        yield "drop trigger if exists counters_never_fall on hunter.search_sessions"
        yield (
            "create trigger counters_never_fall before update on hunter.search_sessions "
            "for each row execute function hunter.counters_never_fall()"
        )

    kind: Mapped[str] = mapped_column(default="search")
    icp_id: Mapped[UUID]
    icp_number: Mapped[int]
    task_id: Mapped[UUID]
    requested_by: Mapped[UUID]
    state: Mapped[str] = mapped_column(default="queued")
    # Why it is paused or failed: `person`, `day-cap`, `session-cap`, `source-quota`, or a sentence.
    reason: Mapped[str | None]
    sources: Mapped[list[Any]] = mapped_column(default=list)
    target: Mapped[int]
    credits_cap: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)
    found: Mapped[int] = mapped_column(default=0)
    repeated: Mapped[int] = mapped_column(default=0)
    ignored: Mapped[int] = mapped_column(default=0)
    settled: Mapped[int] = mapped_column(default=0)
    qualified: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    duplicates: Mapped[int] = mapped_column(default=0)
    blocked: Mapped[int] = mapped_column(default=0)
    undecided: Mapped[int] = mapped_column(default=0, server_default="0")
    credits: Mapped[int] = mapped_column(default=0)
    # When it last got anywhere, and how often it was helped when it did not.
    moved_at: Mapped[datetime]
    nudges: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
