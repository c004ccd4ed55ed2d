"""The pages that searches read."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, one_of
from somos.modules.hunter.rules.icp_profiles import SOURCES
from somos.policy.scopes import Everyone


class SearchPage(Table):
    """One page of one query, read once per version of the profile. `rest` are results not taken yet."""

    __tablename__ = "search_pages"
    __table_args__ = (
        UniqueConstraint("icp_id", "icp_number", "source", "query", "page"),
        one_of("source", SOURCES),
        one_of("state", ["planned", "wanted", "read", "failed"]),
        Index("ix_search_pages_session_id", "session_id", "state"),
        {"schema": "hunter"},
    )
    __scope__ = Everyone()
    __redact__: ClassVar[frozenset[str]] = frozenset({"rest"})

    icp_id: Mapped[UUID]
    icp_number: Mapped[int]
    session_id: Mapped[UUID] = mapped_column(ForeignKey("hunter.search_sessions.id"))
    source: Mapped[str]
    query: Mapped[str]
    page: Mapped[int]
    # Order in which pages are wanted; the same every time.
    place: Mapped[int]
    state: Mapped[str] = mapped_column(default="planned")
    near: Mapped[str | None]
    wanted_at: Mapped[datetime | None]
    reserved_on: Mapped[date | None]
    credits: Mapped[int] = mapped_column(default=0)
    results: Mapped[int] = mapped_column(default=0)
    rest: Mapped[list[Any]] = mapped_column(default=list)
