"""Imports and their lines, as they are chosen and shown."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from somos.mesh import Filter, OneOf, Patch, Record, View
from somos.modules.crm.rules.imports import IMPORT
from somos.modules.crm.schemas.fields import Short
from somos.modules.crm.tables.imports import LINE_STATES, Import, ImportRow

ImportState = Annotated[str, OneOf(IMPORT.states)]


class ImportFilter(Filter):
    table = Import
    sort: Literal["-id", "id"] = "-id"
    state: ImportState | None = None


class ImportPatch(Patch):
    mapping: dict[str, Short]  # field -> column of the file
    pipeline_id: UUID | None


class ImportCounts(View):
    """How many lines stand where; every line of the file is in one of them."""

    ready: int = 0
    duplicate: int = 0
    invalid: int = 0
    imported: int = 0
    undone: int = 0
    kept: int = 0


class ImportView(Record):
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
    created_at: datetime
    counts: ImportCounts | None = None


class ImportRowFilter(Filter):
    table = ImportRow
    sort: Literal["line", "-line"] = "line"
    state: Annotated[str, OneOf(LINE_STATES)] | None = None


class ImportRowView(View):
    line: int
    cells: dict[str, str]
    state: str
    problems: list[str]
    company_id: UUID | None
    contact_id: UUID | None
    deal_id: UUID | None
