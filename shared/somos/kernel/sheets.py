"""Reads the table a person has: CSV in any usual encoding and delimiter, with headers in any spelling; and writes
one that no cell can turn into a formula.

Pure, and shared by every module that takes a file from a person. Nothing is lost silently: a row that cannot
be read is kept with its line number and the reason.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice

from somos.kernel.text import fold, storable

MAX_ROWS = 5_000
MAX_CELL = 2_000
MAX_SPAN = 50  # lines of one record
MAX_ABOVE = 20  # lines of a report's title and date, above its header
_DELIMITERS = ";,\t|"
# What is sent as a spreadsheet and is none, by its first bytes.
_OTHER_FILES = (
    (b"PK\x03\x04", "uma planilha do Excel (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "uma planilha antiga do Excel (.xls)"),
    (b"%PDF", "um PDF"),
    (b"<", "uma página (HTML ou XML)"),
)
# The first line by which Excel is told the delimiter.
_DELIMITER_LINE = re.compile(r'(?i)"?sep=(.)"?[ \t]*(?=[\r\n]|$)')
_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)  # ="0123": how exports keep Excel from making it a number
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


def read(content: bytes, max_rows: int = MAX_ROWS, known: Collection[str] = ()) -> Sheet:
    """The table in these bytes, or Unreadable.

    `known` are folded names of columns: the header is the line that holds them, where a report's title stands above.
    """
    text, encoding = _decode(content)
    declared = _DELIMITER_LINE.match(text)
    delimiter = declared[1] if declared else _delimiter(text, known)
    filled = (record for record in _records(text, delimiter) if any(cell.strip() for cell in record.cells))
    records = list(islice(filled, 1 if declared else 0, max_rows + MAX_ABOVE + 2))
    records = records[_header_at(records, known) :]
    if not records:
        raise Unreadable("O arquivo está vazio.")
    header, *others = records
    if header.problem:
        raise Unreadable(f"O cabeçalho não pôde ser lido: {header.problem}")
    if len(others) > max_rows:
        raise Unreadable(f"O arquivo tem mais de {max_rows} linhas; divida-o.")
    headers = _headers(header.cells, max((_width(record.cells) for record in others), default=0))
    return Sheet(headers, [_row(record, headers) for record in others], encoding, delimiter)


def is_scientific(text: str) -> bool:
    """Whether a spreadsheet wrote a long number as 4,18E+13: its digits are gone."""
    return re.fullmatch(r"(?i)\d+(?:[.,]\d+)?e\+?\d{1,3}", re.sub(r"\s", "", text)) is not None


def unread(label: str, text: str) -> str:
    """What to tell a person of a cell that is no document or phone."""
    if is_scientific(text):
        return f"{label} em notação científica ({text[:30]}): formate a coluna como texto antes de exportar."
    return f"{label} inválido: {text[:60]}"


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
        spelling_used = next((folded[spelling] for spelling in spellings if spelling in folded), None)
        if spelling_used is not None and spelling_used not in mapping.values():
            mapping[name] = spelling_used
    return mapping


@dataclass(frozen=True, slots=True)
class _Record:
    """One record as it stands: the line it begins on, its cells, what is wrong with it."""

    line: int
    cells: list[str]
    problem: str | None


def _decode(content: bytes) -> tuple[str, str]:
    for begins, name in _OTHER_FILES:
        if content.lstrip()[: len(begins)] == begins:
            raise Unreadable(f"Isto é {name}, não um CSV. No Excel, use Salvar como > CSV.")
    for encoding in _encodings(content):
        try:
            return storable(content.decode(encoding)), encoding
        except UnicodeDecodeError:
            continue
    raise Unreadable("A codificação do arquivo não foi reconhecida; salve como UTF-8.")


def _encodings(content: bytes) -> list[str]:
    """What these bytes may be written in, the likeliest first."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ["utf-16"]
    head = content[:4096]
    zeros = head.count(0)
    if zeros and head[1::2].count(0) == zeros and zeros > len(head) // 4:
        return ["utf-16-le"]  # saved without its mark
    if zeros and head[::2].count(0) == zeros and zeros > len(head) // 4:
        return ["utf-16-be"]
    if zeros:
        raise Unreadable("Isto não é um CSV. No Excel, use Salvar como > CSV.")
    return ["utf-8-sig", "cp1252", "latin-1"]


def _delimiter(text: str, known: Collection[str]) -> str:
    """The mark that shows the most known columns in one of the first lines; else the commonest of the first line."""
    lines = [line[:MAX_CELL] for line in islice(io.StringIO(text, newline=None), MAX_ABOVE) if line.strip()]
    bare = re.sub(r'"[^"]*"', "", lines[0]) if lines else ""

    def order(mark: str) -> tuple[int, int, int]:
        shown = max((_known(_cells(line, mark), known) for line in lines), default=0)
        return (shown if shown > 1 else 0, bare.count(mark), -_DELIMITERS.index(mark))

    return max(_DELIMITERS, key=order)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _known(cells: Iterable[str], known: Collection[str]) -> int:
    return sum(fold(cell) in known for cell in cells)


def _header_at(records: Sequence[_Record], known: Collection[str]) -> int:
    """Where the header stands: the first record that holds known columns, or else the first of all."""
    for at, record in enumerate(records[:MAX_ABOVE]):
        count = _known(record.cells, known)
        if count > 1 or count == sum(bool(cell.strip()) for cell in record.cells):
            return at
        if at == 0 and count:
            return 0
    return 0


def _records(text: str, delimiter: str) -> Iterator[_Record]:
    """Every record of the text. A quote that never closes costs its own line, never those below."""
    lines = io.StringIO(text, newline="").readlines()
    at = 0
    while at < len(lines):
        span = _span(lines, at, delimiter)
        problem = None if span else "Há aspas sem par."
        try:
            cells = next(csv.reader(lines[at : at + (span or 1)], delimiter=delimiter), [])
        except csv.Error:
            cells, problem = [lines[at][:MAX_CELL]], "Há uma célula enorme."
        yield _Record(at + 1, cells, problem)
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


def _width(cells: Sequence[str]) -> int:
    """Up to its last cell that holds anything."""
    return max((at for at, cell in enumerate(cells, start=1) if cell.strip()), default=0)


def _headers(cells: list[str], used: int) -> list[str]:
    """Trimmed, never empty, never twice the same; without the empty columns at the end that no row uses."""
    headers: list[str] = []
    for position, cell in enumerate(cells[: max(_width(cells), used)], start=1):
        plain = cell.strip()[:200] or f"Coluna {position}"
        spellings = chain([plain], (f"{plain} ({copy})" for copy in count(2)))
        headers.append(next(name for name in spellings if name not in headers))
    return headers


def _row(record: _Record, headers: list[str]) -> Row:
    problems = [record.problem] if record.problem else []
    if any(cell.strip() for cell in record.cells[len(headers) :]):
        problems.append(f"A linha tem {len(record.cells)} células e o cabeçalho {len(headers)}.")
    stripped = (_plain(cell) for cell in record.cells)
    values = {header: cell for header, cell in zip(headers, stripped, strict=False) if cell}
    if any(len(value) > MAX_CELL for value in values.values()):
        problems.append(f"Há uma célula com mais de {MAX_CELL} caracteres.")
        values = {header: value[:MAX_CELL] for header, value in values.items()}
    return Row(record.line, values, tuple(problems))


def _plain(cell: str) -> str:
    """What the person wrote, without what an export put around it."""
    text = cell.strip()
    as_text = _AS_TEXT.fullmatch(text)
    return unguarded(as_text[1].strip() if as_text else text)
