"""Imports and their lines, as they are chosen and shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from somos.mesh import Body, Filter, View, untouched
from somos.modules.crm.schemas import Short
from somos.modules.crm.tables import (
    Import,
    ImportRow,
)


class ImportFilter(Filter):
    table = Import
    sort: Literal["-id", "id"] = "-id"
    state: Literal["preview", "applied", "undone"] | None = None


class ImportPatch(Body):
    mapping: dict[str, Short] = untouched()  # field -> column of the file
    pipeline_id: UUID | None = None


class ImportCounts(View):
    """How many lines stand where; every line of the file is in one of them."""

    ready: int = 0
    duplicate: int = 0
    invalid: int = 0
    imported: int = 0
    undone: int = 0
    kept: int = 0


class ImportView(View):
    id: UUID
    owner_id: UUID
    filename: str | None
    encoding: str
    delimiter: str
    headers: list[str]
    mapping: dict[str, str]
    pipeline_id: UUID | None
    state: str
    applied_at: datetime | None
    undone_at: datetime | None
    version: int
    created_at: datetime
    counts: ImportCounts | None = None


class ImportRowFilter(Filter):
    table = ImportRow
    sort: Literal["line", "-line"] = "line"
    state: Literal["ready", "duplicate", "invalid", "imported", "undone", "kept"] | None = None


class ImportRowView(View):
    line: int
    cells: dict[str, str]
    state: str
    problems: list[str]
    company_id: UUID | None
    contact_id: UUID | None
    deal_id: UUID | None
