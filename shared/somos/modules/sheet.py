"""Reads the table a person has: CSV in UTF-8 or Latin-1, `;` or `,` or tab, with headers in any spelling; and
writes one that no cell can turn into a formula.

Pure, and shared by every module that takes a file from a person. Nothing is lost silently: a row that cannot
be read is kept with its line number and the reason.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count

from somos.storable import storable

MAX_ROWS = 5_000
MAX_CELL = 2_000
MAX_SPAN = 50  # lines of one record
_DELIMITERS = ";,\t|"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Unreadable(ValueError):
    """The file as a whole is not a table; the message is for the person who sent it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: its number as an editor shows it, its cells by header, what is wrong with it."""

    line: int
    cells: dict[str, str]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """The table, and how it was read."""

    headers: list[str]
    rows: list[Row]
    encoding: str
    delimiter: str


def fold(text: str) -> str:
    """Lower case, without accents or punctuation: what is compared and searched."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return re.sub(r"[^a-z0-9]+", " ", plain).strip()


def read(content: bytes, max_rows: int = MAX_ROWS) -> Sheet:
    """The table in these bytes, or Unreadable."""
    text, encoding = _decode(content)
    delimiter = _delimiter(text)
    headers: list[str] = []
    rows: list[Row] = []
    for line, cells, problem in _records(text, delimiter):
        if not any(cell.strip() for cell in cells):
            continue
        if not headers:
            if problem:
                raise Unreadable(f"O cabeçalho não pôde ser lido: {problem}")
            headers = _headers(cells)
        elif len(rows) >= max_rows:
            raise Unreadable(f"O arquivo tem mais de {max_rows} linhas; divida-o.")
        else:
            rows.append(_row(line, cells, headers, problem))
    if not headers:
        raise Unreadable("O arquivo está vazio.")
    return Sheet(headers, rows, encoding, delimiter)


def write(headers: Sequence[str], rows: Iterable[Sequence[object]], delimiter: str = ";", mark: bool = True) -> bytes:
    """A CSV; with `;` and a byte-order mark Excel in Brazil opens it with a double click."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(headers)
    writer.writerows([guarded(value) for value in row] for row in rows)
    return buffer.getvalue().encode("utf-8-sig" if mark else "utf-8")


def guarded(value: object) -> str:
    """The text of a cell; what a spreadsheet would take for a formula gets an apostrophe."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def unguarded(text: str) -> str:
    """Without the apostrophe that `guarded` adds."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def guess_mapping(headers: list[str], synonyms: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """field -> header, by the names people give their columns; a header serves one field only."""
    folded = {fold(header): header for header in reversed(headers)}
    mapping: dict[str, str] = {}
    for name, spellings in synonyms.items():
        found = next((folded[spelling] for spelling in spellings if spelling in folded), None)
        if found is not None and found not in mapping.values():
            mapping[name] = found
    return mapping


def _decode(content: bytes) -> tuple[str, str]:
    if b"\x00" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("Isto não é um CSV. No Excel, use Salvar como > CSV.")
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "cp1252", "latin-1"]:
        try:
            return storable(content.decode(encoding)), encoding
        except UnicodeDecodeError:
            continue
    raise Unreadable("A codificação do arquivo não foi reconhecida; salve como UTF-8.")


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return max(_DELIMITERS, key=lambda mark: (bare.count(mark), -_DELIMITERS.index(mark)))


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str], str | None]]:
    """(first line, cells, what is wrong). A quote that never closes costs its own line, never those below."""
    lines = io.StringIO(text, newline="").readlines()
    at = 0
    while at < len(lines):
        span = _span(lines, at, delimiter)
        problem = None if span else "Há aspas sem par."
        try:
            cells = next(csv.reader(lines[at : at + (span or 1)], delimiter=delimiter), [])
        except csv.Error:
            cells, problem = [lines[at][:MAX_CELL]], "Há uma célula enorme."
        yield at + 1, cells, problem
        at += span or 1


def _span(lines: list[str], at: int, delimiter: str) -> int | None:
    """How many lines the record that begins here has; None when a quote opens and never closes."""
    if '"' not in lines[at]:
        return 1
    for span in range(1, min(MAX_SPAN, len(lines) - at) + 1):
        try:
            list(csv.reader(lines[at : at + span], delimiter=delimiter, strict=True))
        except csv.Error as error:
            if "unexpected end" in str(error):
                continue
            return 1 if span == 1 else None
        return span
    return None


def _headers(cells: list[str]) -> list[str]:
    """Trimmed, never empty, never twice the same."""
    headers: list[str] = []
    for position, cell in enumerate(cells, start=1):
        plain = cell.strip()[:200] or f"Coluna {position}"
        spellings = chain([plain], (f"{plain} ({copy})" for copy in count(2)))
        headers.append(next(name for name in spellings if name not in headers))
    return headers


def _row(line: int, cells: list[str], headers: list[str], problem: str | None) -> Row:
    problems = [problem] if problem else []
    if any(cell.strip() for cell in cells[len(headers) :]):
        problems.append(f"A linha tem {len(cells)} células e o cabeçalho {len(headers)}.")
    values = {header: cell.strip() for header, cell in zip(headers, cells, strict=False) if cell.strip()}
    if any(len(value) > MAX_CELL for value in values.values()):
        problems.append(f"Há uma célula com mais de {MAX_CELL} caracteres.")
        values = {header: value[:MAX_CELL] for header, value in values.items()}
    return Row(line, values, tuple(problems))
