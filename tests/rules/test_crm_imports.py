"""A line of a Brazilian spreadsheet becomes a draft, or says what is wrong."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel import money, sheets
from somos.modules.crm.rules import imports

HEADERS = [
    "Razão Social",
    "CNPJ",
    "Site",
    "Telefone",
    "E-mail",
    "Cidade",
    "UF",
    "Contato",
    "Celular",
    "Valor",
]


def test_portuguese_headers_are_understood():
    mapping = sheets.guess_mapping(HEADERS, imports.SYNONYMS)
    assert mapping == {
        "company_name": "Razão Social", "document": "CNPJ", "domain": "Site", "phone": "Telefone",
        "email": "E-mail", "city": "Cidade", "uf": "UF", "contact_name": "Contato",
        "contact_phone": "Celular", "deal_value": "Valor",
    }  # fmt: skip


def test_a_good_line_is_normalised():
    cells = dict(zip(HEADERS, [
        "Lumen Ltda", "11.222.333/0001-81", "https://www.lumen.com.br/sobre", "(11) 3222-3344",
        "OI@Lumen.com.br", "São Paulo", "sp", "Ana", "11 98765-4321", "R$ 1.500,50",
    ], strict=True))  # fmt: skip
    draft, problems = imports.draft_of(cells, sheets.guess_mapping(HEADERS, imports.SYNONYMS))
    assert problems == []
    assert (draft.document, draft.domain, draft.uf) == ("11222333000181", "lumen.com.br", "SP")
    assert (draft.phone, draft.contact_phone) == ("+551132223344", "+5511987654321")
    assert (draft.email, draft.deal_value_cents) == ("oi@lumen.com.br", 150_050)


def test_every_wrong_value_of_a_line_is_named():
    cells = {"cnpj": "11.222.333/0001-80", "uf": "XX", "valor": "muito", "fone": "12"}
    mapping = {"document": "cnpj", "uf": "uf", "deal_value": "valor", "phone": "fone"}
    draft, problems = imports.draft_of(cells, mapping)
    assert draft is None
    assert len(problems) == 5  # the company's name is missing too


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("R$ 1.500,50", 150_050), ("1500.50", 150_050), ("1.500", 150_000), ("15000", 1_500_000),
        ("12,5", 1_250), ("1,234,567.89", 123_456_789), ("R$ 0", 0), ("1.50.0", None), ("-5", None),
        ("abc", None), ("", None), ("9" * 20, None),
    ],
)  # fmt: skip
def test_amounts_as_people_type_them(text, cents):
    assert money.parse_money(text) == cents


@given(st.integers(0, 10**13))
def test_an_amount_written_the_brazilian_way_reads_back(cents):
    text = f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02}"
    assert money.parse_money(f"R$ {text}") == cents


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31/12/2026", date(2026, 12, 31)),
        ("2026-12-31", date(2026, 12, 31)),
        ("1.2.27", date(2027, 2, 1)),
        ("31/02/2026", None),
        ("12/2026", None),
    ],
)
def test_dates_are_day_first(text, day):
    assert imports.parse_date(text) == day


@given(st.dictionaries(st.sampled_from(imports.FIELDS), st.text(max_size=40)))
def test_whatever_stands_in_the_cells_a_line_is_a_draft_or_has_a_problem(cells):
    draft, problems = imports.draft_of(cells, {name: name for name in imports.FIELDS})
    assert (draft is None) == bool(problems)
