"""Shapes of spreadsheets coming in."""

from uuid import UUID

from pydantic import Field

from somos.mesh.schemas import Filter, View


class ImportFilter(Filter):
    """For which profile the companies of the file are judged."""

    icp_id: UUID


class RefusedLine(View):
    """A line that was not taken, and why."""

    line: int
    reason: str


class ImportReport(View):
    """What became of every line of the file; the three lists account for all of them."""

    session_id: UUID
    task_id: UUID
    lines: int
    accepted: int
    duplicates: list[RefusedLine]
    rejected: list[RefusedLine]
    warnings: list[RefusedLine]
    columns: dict[str, str] = Field(description="Campo lido -> coluna do arquivo")
    ignored_columns: list[str]
    encoding: str
    delimiter: str
