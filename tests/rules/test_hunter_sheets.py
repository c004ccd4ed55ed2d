"""The spreadsheet a person has comes in line by line, and goes out without formulas."""

import csv
import io
from datetime import UTC, date, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel.phones import normalise_phone
from somos.kernel.sheets import Unreadable, read
from somos.modules.hunter.rules import lead_exports, lead_imports, merge_suggestions
from somos.modules.hunter.rules.facts import chosen

NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)
HEADERS = "Empresa;CNPJ;Site;Telefone;E-mail;Contato;Cargo;Cidade;UF;Segmento;Nº de funcionários;Observações"


def lines_in(text: str, encoding: str = "utf-8") -> list[lead_imports.Line]:
    sheet = read(text.encode(encoding))
    mapping = lead_imports.mapping_of(sheet.headers)
    return [lead_imports.line_of(row, mapping, "leads.csv", NOW) for row in sheet.rows]


def values(line: lead_imports.Line) -> dict[str, str]:
    return {field: fact.value for field, fact in chosen(line.facts).items()}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1"])
@pytest.mark.parametrize("delimiter", [";", ","])
def test_a_file_with_portuguese_headers_is_read_whatever_its_encoding_and_delimiter(encoding, delimiter):
    text = f"{HEADERS}\nAgência Lúmen;11.222.333/0001-81;www.lumen.com.br;(11) 95555-0101;Oi@Lumen.com.br;Ana;Sócia;" \
           "São Paulo;São Paulo;Publicidade;51 a 200;boa"  # fmt: skip
    (line,) = lines_in(text.replace(";", delimiter), encoding)
    assert values(line) == {
        "company_name": "Agência Lúmen",
        "cnpj": "11222333000181",
        "domain": "lumen.com.br",
        "phone": "+5511955550101",
        "email": "oi@lumen.com.br",
        "contact_name": "Ana",
        "contact_role": "Sócia",
        "city": "São Paulo",
        "uf": "SP",
        "segment": "Publicidade",
        "employees": "51",
    }
    assert line.warnings == ()
    assert line.facts[0].url == "leads.csv#L2"


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ("Razão Social;Nome Fantasia", {"company_name": "Nome Fantasia", "legal_name": "Razão Social"}),
        ("Razão Social", {"company_name": "Razão Social"}),
        ("Empresa;Nome", {"company_name": "Empresa", "contact_name": "Nome"}),
        ("Nome", {"company_name": "Nome"}),
        ("Celular;Telefone", {"phone": "Celular", "phone_2": "Telefone"}),
        ("company;WEBSITE;E-Mail", {"company_name": "company", "domain": "WEBSITE", "email": "E-Mail"}),
    ],
)
def test_columns_are_known_by_the_names_people_give_them(headers, found):
    assert lead_imports.mapping_of(headers.split(";")) == found


def test_a_bad_line_is_reported_with_its_number_and_the_others_are_taken():
    found = lines_in(
        "Empresa;CNPJ;Telefone\nA;11222333000181;\nB;11222333000180;\n;;\n;;x\nC;;telefone ruim\n;;;;\nD;;;1\n"
    )
    assert [(line.number, line.refused) for line in found] == [
        (2, None),
        (3, "CNPJ inválido: 11222333000180"),
        (5, "Falta o nome da empresa, o CNPJ ou outro dado que a identifique."),
        (6, None),
        (8, "A linha tem 4 células e o cabeçalho 3."),
    ]
    assert found[3].warnings == ("telefone não reconhecido: telefone ruim",)


def test_a_cnpj_that_a_spreadsheet_rounded_is_explained():
    (line,) = lines_in("Empresa;CNPJ\nA;1,12223E+13\n")
    assert "notação científica" in (line.refused or "")


def test_leading_zeros_that_a_spreadsheet_ate_come_back():
    (line,) = lines_in("Empresa;CNPJ\nPrimeira;1222333000128\n")
    assert values(line)["cnpj"] == "01222333000128"


def test_a_company_that_writes_from_its_own_domain_has_its_site_there():
    assert values(lines_in("Empresa;E-mail\nA1;oi@lumen.com.br\n")[0])["domain"] == "lumen.com.br"
    assert values(lines_in("Empresa;E-mail;Site\nA1;oi@lumen.com.br;farol.com.br\n")[0])["domain"] == "farol.com.br"
    assert "domain" not in values(lines_in("Empresa;E-mail\nA1;lumen@gmail.com\n")[0])


def test_a_column_nobody_reads_is_named():
    sheet = read(b"Empresa;Cor favorita\nA;azul\n")
    assert lead_imports.ignored(sheet, lead_imports.mapping_of(sheet.headers)) == ["Cor favorita"]


@given(st.binary(max_size=600))
def test_any_file_gives_a_report_of_every_line_or_one_sentence(content):
    try:
        sheet = read(content)
    except Unreadable:
        return
    mapping = lead_imports.mapping_of(sheet.headers)
    found = [lead_imports.line_of(row, mapping, "x.csv", NOW) for row in sheet.rows]
    assert [line.number for line in found] == [row.line for row in sheet.rows]
    assert all(line.refused or line.facts for line in found)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=30)


@given(st.lists(st.lists(cells, min_size=4, max_size=4), min_size=1, max_size=8))
def test_no_line_of_a_well_formed_file_is_lost(rows):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerows([["Empresa", "CNPJ", "Telefone", "Cidade"], *rows])
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    found = lines_in(buffer.getvalue())
    assert len(found) == len(kept)
    assert sum(1 for line in found if line.refused) + sum(1 for line in found if line.facts) == len(kept)


# --- going out -----------------------------------------------------------------------------------------


def lead(**changes):
    empty = dict.fromkeys(
        [
            "company_name", "legal_name", "cnpj", "domain", "phone", "email", "contact_name", "contact_role", "city",
            "uf", "segment", "employees", "score", "reason", "owner_id",
        ]
    )  # fmt: skip
    fixed = {"state": "qualified", "source": "maps", "legal_basis": "LI", "retain_until": date(2027, 5, 22)}
    return SimpleNamespace(**{**empty, **fixed, **changes})


def cells_of(content: bytes, delimiter: str = ";") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=delimiter))


@given(st.lists(st.text(max_size=20), min_size=3, max_size=3))
def test_no_exported_cell_begins_a_formula(texts):
    content = lead_exports.sheet_of([lead(company_name=texts[0], reason=texts[1], contact_name=texts[2])])
    for row in cells_of(content)[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row)


def test_the_export_carries_the_reason_and_opens_in_excel():
    content = lead_exports.sheet_of(
        [lead(company_name="Lúmen", score=82, reason="Nota 82 de 100.", phone="+5511955550101")]
    )
    assert content.startswith(b"\xef\xbb\xbf")
    headers, row = cells_of(content)
    shown = dict(zip(headers, row, strict=True))
    assert shown["Motivo"] == "Nota 82 de 100."
    assert shown["Telefone"] == "(11) 95555-0101"
    assert shown["Fonte"] == "Google Maps"


def test_what_we_export_we_can_read_back():
    company = lead(
        company_name="=Lúmen & Cia",
        cnpj="12ABC34501DE35",
        domain="lumen.com.br",
        phone="+5511955550101",
        email="oi@lumen.com.br",
        contact_name="Ana",
        contact_role="Sócia",
        city="São Paulo",
        uf="SP",
        employees=64,
    )
    text = lead_exports.sheet_of([company]).decode("utf-8-sig")
    read_back = values(lines_in(text)[0])
    expected = {name: str(value) for name, value in vars(company).items() if name in read_back}
    assert read_back == expected
    assert len(read_back) == 10


def test_hubspot_gets_its_own_header_names():
    headers, row = cells_of(
        lead_exports.sheet_of([lead(contact_name="Ana Beatriz Prado", phone="+5511955550101")], "hubspot"), ","
    )
    shown = dict(zip(headers, row, strict=True))
    assert shown["First name"] == "Ana"
    assert shown["Last name"] == "Beatriz Prado"
    assert normalise_phone(shown["Phone number"].lstrip("'")) == "+5511955550101"


# --- twins ---------------------------------------------------------------------------------------------


def named(number: int, name: str, city: str | None = "São Paulo", cnpj: str | None = None) -> merge_suggestions.Named:
    return merge_suggestions.Named(UUID(int=number), name, city, cnpj)


def test_alike_names_in_one_city_are_suggested_the_most_alike_first():
    others = [
        named(2, "Horizonte Comunicacao Ltda"),
        named(3, "Farol"),
        named(4, "Comunicação Horizonte", "Recife"),
        named(5, "Horizonte Comunicações"),
    ]
    assert [id.int for id, _ in merge_suggestions.suggestions(named(1, "Horizonte Comunicação"), others)] == [2, 5]


def test_two_cnpjs_are_two_companies_however_alike():
    mine, other = named(1, "Farol", cnpj="11222333000181"), named(2, "Farol", cnpj="12ABC34501DE35")
    assert merge_suggestions.suggestions(mine, [other]) == []


def test_without_a_city_nothing_is_suggested():
    assert merge_suggestions.suggestions(named(1, "Farol", None), [named(2, "Farol", None)]) == []
