"""Reads the table a person has: CSV in UTF-8 or Latin-1, `;` or `,` or tab, with headers in any spelling.

Pure, and shared by every module that takes a file from a person. Nothing is lost silently: a row that cannot
be read is kept with its line number and the reason.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count

MAX_ROWS = 5_000
MAX_CELL = 2_000
_DELIMITERS = ";,\t|"


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
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    headers: list[str] = []
    rows: list[Row] = []
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not headers:
                headers = _headers(cells)
            elif len(rows) >= max_rows:
                raise Unreadable(f"O arquivo tem mais de {max_rows} linhas; divida-o.")
            else:
                rows.append(_row(start, cells, headers))
    except csv.Error as error:
        raise Unreadable(f"A linha {line} não pôde ser lida: aspas sem par ou célula enorme.") from error
    if not headers:
        raise Unreadable("O arquivo está vazio.")
    return Sheet(headers, rows, encoding, delimiter)


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
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            return content.decode(encoding).replace("\x00", ""), encoding
        except UnicodeDecodeError:
            continue
    raise Unreadable("A codificação do arquivo não foi reconhecida; salve como UTF-8.")


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return max(_DELIMITERS, key=lambda mark: (bare.count(mark), -_DELIMITERS.index(mark)))


def _headers(cells: list[str]) -> list[str]:
    """Trimmed, never empty, never twice the same."""
    headers: list[str] = []
    for position, cell in enumerate(cells, start=1):
        plain = cell.strip()[:200] or f"Coluna {position}"
        spellings = chain([plain], (f"{plain} ({copy})" for copy in count(2)))
        headers.append(next(name for name in spellings if name not in headers))
    return headers


def _row(line: int, cells: list[str], headers: list[str]) -> Row:
    problems = []
    if any(cell.strip() for cell in cells[len(headers) :]):
        problems.append(f"A linha tem {len(cells)} células e o cabeçalho {len(headers)}.")
    values = {header: cell.strip() for header, cell in zip(headers, cells, strict=False) if cell.strip()}
    if any(len(value) > MAX_CELL for value in values.values()):
        problems.append(f"Há uma célula com mais de {MAX_CELL} caracteres.")
        values = {header: value[:MAX_CELL] for header, value in values.items()}
    return Row(line, values, tuple(problems))
