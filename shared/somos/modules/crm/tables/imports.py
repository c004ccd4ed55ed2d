"""Spreadsheets on their way in, line by line."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, one_of
from somos.modules.crm.rules.imports import IMPORT
from somos.policy.scopes import Own, Via

LINE_STATES = ("ready", "duplicate", "invalid", "imported", "undone", "kept")


class Import(Table, Versioned):
    """A spreadsheet on its way in: seen first, applied when its owner says so, undone if they regret it."""

    __tablename__ = "imports"
    __table_args__ = (one_of("state", IMPORT.states), {"schema": "crm"})
    __scope__ = Own("owner_id")

    owner_id: Mapped[UUID]
    filename: Mapped[str | None]
    encoding: Mapped[str]
    delimiter: Mapped[str]
    headers: Mapped[list[Any]]
    mapping: Mapped[dict[str, Any]]
    pipeline_id: Mapped[UUID | None] = mapped_column(ForeignKey("crm.pipelines.id"))
    state: Mapped[str] = mapped_column(default="preview")
    applied_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]


class ImportRow(Table):
    """One line of it: what it said, what is wrong with it, what came of it.

    `made` holds the version of each record this line created: undo leaves alone what was touched since.
    """

    __tablename__ = "import_rows"
    __table_args__ = (
        one_of("state", LINE_STATES),
        UniqueConstraint("import_id", "line"),
        {"schema": "crm"},
    )
    __scope__ = Via(Import, "import_id")

    import_id: Mapped[UUID] = mapped_column(ForeignKey("crm.imports.id", ondelete="CASCADE"))
    line: Mapped[int]
    cells: Mapped[dict[str, Any]]
    state: Mapped[str]
    problems: Mapped[list[Any]] = mapped_column(default=list)
    # What is wrong with the line as it stands in the file: no other reading of the columns mends it.
    unreadable: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    company_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    deal_id: Mapped[UUID | None]
    made: Mapped[dict[str, Any]] = mapped_column(default=dict)
