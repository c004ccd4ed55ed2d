"""The spreadsheet a person has: any encoding, any delimiter, every bad line reported."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel import sheets

TABLE = "Empresa;Cidade;Observação\r\nAgência Lúmen;São Paulo;ok\r\n\r\nFarol;Brasília;não\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
def test_any_usual_encoding_reads_the_same(encoding):
    read = sheets.read(TABLE.encode(encoding))
    assert read.headers == ["Empresa", "Cidade", "Observação"]
    assert [row.cells["Cidade"] for row in read.rows] == ["São Paulo", "Brasília"]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found_also_when_a_header_holds_another(delimiter):
    text = TABLE.replace(";", delimiter).replace("Observação", '"Obs; livre, sim"')
    assert sheets.read(text.encode()).headers == ["Empresa", "Cidade", "Obs; livre, sim"]


def test_lines_are_numbered_as_an_editor_shows_them():
    assert [row.line for row in sheets.read(TABLE.encode()).rows] == [2, 4]
    quoted = 'Empresa;Nota\n"Alfa";"uma\nduas"\nBeta;x\n'
    assert [row.line for row in sheets.read(quoted.encode()).rows] == [2, 4]


def test_a_row_longer_than_the_header_is_kept_and_reported():
    row = sheets.read(b"a;b\n1;2;3\n").rows[0]
    assert row.cells == {"a": "1", "b": "2"}
    assert "3 células" in row.problems[0]


@pytest.mark.parametrize(
    ("text", "read_well"),
    [
        ('a;b\n"1;x\n2;y\n3;z\n', [3, 4]),
        ('a;b\n1;"x\n2;y\n', [3]),
        ('a;b\n"1;x\n"2;y\n3;z\n', [4]),
        ('a;b\n1;TV 42"\n2;y\n', [2, 3]),
        ('a;b\n"1"x;y\n2;y\n', [2, 3]),
    ],
)
def test_a_quote_that_never_closes_costs_its_own_line_only(text, read_well):
    rows = sheets.read(text.encode()).rows
    assert [row.line for row in rows if not row.problems] == read_well
    assert [row.line for row in rows] == list(range(2, text.count("\n") + 1))


def test_a_huge_cell_is_reported_and_the_lines_after_it_are_read():
    rows = sheets.read(b"a;b\n1;" + b"x" * 200_000 + b"\n2;y\n").rows
    assert rows[0].problems
    assert rows[1].cells == {"a": "2", "b": "y"}


@pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04\x00\x00\x00", b"   "])
def test_what_is_not_a_table_is_refused_with_a_sentence(content):
    with pytest.raises(sheets.Unreadable):
        sheets.read(content)


def test_too_many_rows_are_refused_instead_of_cut():
    with pytest.raises(sheets.Unreadable, match="mais de 3 linhas"):
        sheets.read(b"a\n1\n2\n3\n4\n", max_rows=3)


def test_two_columns_of_one_name_are_both_kept():
    read = sheets.read(b"e-mail;e-mail;\na;b;c\n")
    assert read.headers == ["e-mail", "e-mail (2)", "Coluna 3"]
    assert read.rows[0].cells == {"e-mail": "a", "e-mail (2)": "b", "Coluna 3": "c"}


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused(content):
    try:
        read = sheets.read(content)
    except sheets.Unreadable:
        return
    assert len(set(read.headers)) == len(read.headers)


cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1, max_size=20).filter(str.strip)


@given(st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=8))
def test_no_row_is_lost(rows):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c"])
    writer.writerows(rows)
    read = sheets.read(buffer.getvalue().encode())
    assert [list(row.cells.values()) for row in read.rows] == [[c.strip() for c in row] for row in rows]
