"""What people really write into spreadsheets: tables, phones, documents, and whom not to contact.

`right` of phones: every number, mobiles first; of documents: the document or null; of forbidden: whether contact is
forbidden, and the cell that is unclear; of sheets: delimiter, headers, cells by line, what both imports say of a line
(`said`), or the sentence of a refusal.
"""

from datetime import UTC, datetime

import pytest

from somos.kernel import do_not_contact, documents, keys, phones, sheets
from somos.modules.crm.rules import imports as crm
from somos.modules.hunter.rules import lead_imports
from tests.harness.corpus import Case, cases

NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)


@pytest.mark.parametrize("case", cases("phones"))
def test_every_phone_of_a_cell_is_read_and_mobiles_come_first(case: Case):
    assert list(phones.phones_in(case.input)) == case.right


@pytest.mark.parametrize("case", cases("documents"))
def test_a_document_is_read_however_it_is_written(case: Case):
    assert documents.normalise_document(case.input) == case.right


@pytest.mark.parametrize("case", cases("forbidden"))
def test_a_column_says_whom_not_to_contact(case: Case):
    assert list(do_not_contact.forbidden(case.input)) == case.right


@pytest.mark.parametrize("case", cases("sheets"))
def test_a_sheet_is_read_or_refused_with_a_sentence(case: Case):
    known = lead_imports.SPELLINGS | crm.SPELLINGS
    if "refused" in case.right:
        with pytest.raises(sheets.Unreadable) as refused:
            sheets.read(case.input, known=known)
        assert case.right["refused"] in str(refused.value)
        return
    read = sheets.read(case.input, known=known)
    assert (read.delimiter, read.headers) == (case.right["delimiter"], case.right["headers"])
    assert {str(row.line): row.cells for row in read.rows} == case.right["rows"]
    for row in read.rows:
        said = case.right.get("said", {}).get(str(row.line))
        if said is not None:
            assert lead_imports.line_of(row, lead_imports.mapping_of(read.headers), "x.csv", NOW).refused == said
            assert crm.draft_of(row.cells, sheets.guess_mapping(read.headers, crm.SYNONYMS))[1] == [
                said.replace("CNPJ em", "CNPJ ou CPF em")
            ]


@pytest.mark.parametrize("header", ["nao_contatar", "Não contatar?", "NÃO CONTATAR", "opt-out", "Do not contact"])
def test_both_imports_know_the_column_that_forbids_contact(header: str):
    assert lead_imports.mapping_of(["Empresa", header])["do_not_contact"] == header
    assert sheets.guess_mapping(["Empresa", header], crm.SYNONYMS)["do_not_contact"] == header


def test_the_numbers_of_both_phone_columns_are_kept_with_a_mobile_first():
    row = sheets.Row(2, {"Empresa": "Lúmen", "Telefone": "(11) 3333-4444", "Telefone 2": "11 98765-4321"})
    line = lead_imports.line_of(row, lead_imports.mapping_of(list(row.cells)), "x.csv", NOW)
    phones = [fact.value for fact in sorted(line.facts, key=lambda fact: fact.rank) if fact.field == "phone"]
    assert phones == ["+5511987654321", "+551133334444"]


def test_a_company_with_two_addresses_in_one_cell_keeps_both():
    row = {"Empresa": "Lúmen", "E-mail": "Ana <ana@lumen.com.br>; bia@lumen.com.br"}
    draft, problems = crm.draft_of(row, sheets.guess_mapping(list(row), crm.SYNONYMS))
    assert problems == []
    assert draft is not None
    assert draft.emails == ("ana@lumen.com.br", "bia@lumen.com.br")


def test_a_line_that_forbids_contact_says_so_even_when_it_is_refused():
    row = sheets.Row(2, {"Empresa": "Lúmen", "CNPJ": "1", "Celular": "11 98765-4321", "nao_contatar": "x"})
    line = lead_imports.line_of(row, lead_imports.mapping_of(list(row.cells)), "x.csv", NOW)
    assert (line.refused, line.forbidden) == ("CNPJ inválido: 1", True)
    assert [fact.value for fact in line.facts if fact.field == "phone"] == ["+5511987654321"]
    people = crm.forbidden_people(row.cells, sheets.guess_mapping(list(row.cells), crm.SYNONYMS))
    assert people == [keys.PersonKeys(phone="+5511987654321")]


@pytest.mark.parametrize("cell", ["", "não", "FALSO"])
def test_a_blank_or_a_no_forbids_nothing(cell: str):
    row = {"Empresa": "Lúmen", "nao_contatar": cell}
    draft, problems = crm.draft_of(row, sheets.guess_mapping(list(row), crm.SYNONYMS))
    assert problems == []
    assert draft is not None
    assert not draft.forbidden
