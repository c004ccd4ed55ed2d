"""A spreadsheet comes in: every line accounted for, nothing made before it is applied, and all of it undone."""

from typing import Any

import pytest

from somos.events.sdr import PersonSuppressed
from somos.kernel.keys import key_hash
from tests.functions.crm.conftest import CNPJ, House

SHEET = (
    "Razão Social;CNPJ;Site;Cidade;UF;Contato;E-mail do contato;Celular;Negócio;Valor;Previsão\n"
    "Lumen Ltda;11.222.333/0001-81;lumen.com.br;São Paulo;SP;Carla;carla@lumen.com.br;11 98765-4321;"
    "Filme de verão;R$ 15.000,50;31/12/2026\n"
    "Lumen Ltda;;lumen.com.br;São Paulo;SP;Davi;davi@lumen.com.br;;;;\n"
    "Sem Nada;11.222.333/0001-80;;;XX;;;;;muito;\n"
    "Farol Filmes;;;Recife;PE;;;;;;\n"
)


def upload(house: House, who: Any, text: str = SHEET, encoding: str = "utf-8") -> Any:
    return house.post(who, "/api/v1/imports", data=text.encode(encoding), content_type="text/csv")


def totals(house: House) -> tuple[int, int, int]:
    return tuple(house.mesh.one(f"select count(*) from crm.{t}") for t in ("companies", "contacts", "deals"))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-8-sig"])
def test_the_preview_accounts_for_every_line_and_makes_nothing(house: House, encoding: str):
    seen = upload(house, house.ana, encoding=encoding)
    assert seen["state"] == "preview"
    assert (seen["counts"]["ready"], seen["counts"]["invalid"]) == (3, 1)
    assert seen["mapping"]["company_name"] == "Razão Social"
    wrong = house.get(house.ana, f"/api/v1/imports/{seen['id']}/rows?state=invalid")["items"][0]
    assert wrong["line"] == 4
    assert [problem.split(":")[0] for problem in wrong["problems"]] == [
        "Valor inválido", "CNPJ ou CPF inválido", "UF inválido",
    ]  # fmt: skip
    assert totals(house) == (0, 0, 0)


def test_applying_makes_companies_people_and_deals_and_lines_of_one_company_find_each_other(house: House):
    seen = upload(house, house.ana)
    done = house.post(house.ana, f"/api/v1/imports/{seen['id']}/apply")
    assert (done["state"], done["counts"]["imported"], done["counts"]["invalid"]) == ("applied", 3, 1)
    assert totals(house) == (2, 2, 1)
    deal = house.get(house.ana, "/api/v1/deals")["items"][0]
    assert (deal["value_cents"], deal["expected_close_date"], deal["origin"]) == (1_500_050, "2026-12-31", "import")
    assert [row["step"] for row in house.history(deal["id"])] == [1]
    lumen = house.get(house.ana, "/api/v1/companies?q=lumen")["items"][0]
    people = house.get(house.ana, f"/api/v1/contacts?company_id={lumen['id']}&sort=name_key")["items"]
    assert [person["name"] for person in people] == ["Carla", "Davi"]
    house.call(house.ana, f"POST /api/v1/imports/{seen['id']}/apply").refused(409, "import-state")


def test_importing_the_same_file_again_finds_everything_known(house: House):
    house.post(house.ana, f"/api/v1/imports/{upload(house, house.ana)['id']}/apply")
    again = upload(house, house.ana, SHEET.replace("Filme de verão", ""))
    assert (again["counts"]["duplicate"], again["counts"]["ready"]) == (3, 0)
    house.post(house.ana, f"/api/v1/imports/{again['id']}/apply")
    assert totals(house) == (2, 2, 1)


def test_undo_takes_back_everything_it_made_and_nothing_else(house: House):
    mine = house.company(house.ana, "Farol Filmes", city="Recife")
    seen = upload(house, house.ana)
    house.post(house.ana, f"/api/v1/imports/{seen['id']}/apply")
    undone = house.post(house.ana, f"/api/v1/imports/{seen['id']}/undo")
    assert (undone["state"], undone["counts"]["undone"], undone["counts"]["kept"]) == ("undone", 2, 0)
    assert totals(house) == (1, 0, 0)
    assert house.get(house.ana, f"/api/v1/companies/{mine['id']}")["name"] == "Farol Filmes"
    house.call(house.ana, f"POST /api/v1/imports/{seen['id']}/undo").refused(409, "import-state")


def test_undo_leaves_what_somebody_worked_with_since_and_says_so(house: House):
    seen = upload(house, house.ana)
    house.post(house.ana, f"/api/v1/imports/{seen['id']}/apply")
    deal = house.get(house.ana, "/api/v1/deals")["items"][0]
    call = {"deal_id": deal["id"], "kind": "call", "subject": "Atendeu"}
    house.post(house.ana, "/api/v1/deal-activities", call)
    undone = house.post(house.ana, f"/api/v1/imports/{seen['id']}/undo")
    assert (undone["counts"]["kept"], undone["counts"]["undone"]) == (1, 2)
    kept = house.get(house.ana, f"/api/v1/imports/{seen['id']}/rows?state=kept")["items"]
    assert "o negócio" in kept[0]["problems"][0]
    kept = house.get(house.ana, f"/api/v1/deals/{deal['id']}")
    assert totals(house) == (1, 1, 1)
    links = house.get(house.ana, f"/api/v1/company-contacts?company_id={kept['company_id']}")["items"]
    assert [link["contact_id"] for link in links] == [kept["contact_id"]]


def test_columns_can_be_named_by_hand(house: House):
    seen = upload(house, house.ana, "Fantasia X;Onde\nLumen;São Paulo\n")
    assert seen["counts"]["invalid"] == 1
    path = f"/api/v1/imports/{seen['id']}"
    named = house.call(house.ana, f"PATCH {path}", {"mapping": {"company_name": "Fantasia X", "city": "Onde"}}).ok()
    assert named["counts"]["ready"] == 1
    house.call(house.ana, f"PATCH {path}", {"mapping": {"senha": "Onde"}}).refused(422)
    house.call(house.ana, f"PATCH {path}", {"mapping": {"city": "Aonde"}}).refused(422)


def test_deals_go_to_the_pipeline_that_was_chosen(house: House):
    seen = upload(house, house.ana)
    chosen = {"pipeline_id": str(house.pipeline("evento"))}
    house.call(house.ana, f"PATCH /api/v1/imports/{seen['id']}", chosen).ok()
    house.post(house.ana, f"/api/v1/imports/{seen['id']}/apply")
    assert house.get(house.ana, "/api/v1/deals")["items"][0]["pipeline_id"] == chosen["pipeline_id"]


def test_a_document_of_another_portfolio_is_refused_by_line(house: House):
    house.company(house.bruno, "Lumen", document=CNPJ)
    seen = upload(house, house.ana)
    rows = house.get(house.ana, f"/api/v1/imports/{seen['id']}/rows")["items"]
    assert rows[0]["state"] == "invalid"
    assert rows[0]["problems"] == ["Este CNPJ ou CPF já está em outra carteira."]


def test_a_person_who_asked_to_be_left_alone_is_not_imported(house: House):
    key = key_hash(house.mesh.runtime.settings.suppression_key, "phone", "+5511987654321")
    house.mesh.state(PersonSuppressed(person_key=key))
    house.mesh.drain()
    seen = upload(house, house.ana)
    rows = house.get(house.ana, f"/api/v1/imports/{seen['id']}/rows")["items"]
    assert rows[0]["problems"] == ["Esta pessoa pediu para não ser contatada."]
    house.post(house.ana, f"/api/v1/imports/{seen['id']}/apply")
    assert house.mesh.one("select count(*) from crm.contacts where name = 'Carla'") == 0


@pytest.mark.parametrize("content", ["", "\n\n", "PK\x03\x04\x00"])
def test_what_is_no_table_is_refused(house: House, content: str):
    house.call(house.ana, "POST /api/v1/imports", data=content.encode(), content_type="text/csv").refused(422)


def test_hundreds_of_lines_are_applied_and_undone_in_one_go(house: House):
    lines = [f"Empresa {n};empresa{n}.com.br;Pessoa {n};p{n}@empresa{n}.com.br;Filme {n};1000" for n in range(300)]
    seen = upload(house, house.ana, "Empresa;Site;Contato;E-mail do contato;Negócio;Valor\n" + "\n".join(lines))
    house.post(house.ana, f"/api/v1/imports/{seen['id']}/apply")
    assert totals(house) == (300, 300, 300)
    house.post(house.ana, f"/api/v1/imports/{seen['id']}/undo")
    assert totals(house) == (0, 0, 0)


def test_a_line_that_cannot_be_read_stays_so_whatever_the_columns_are_called(house: House):
    seen = upload(house, house.ana, 'Empresa;Cidade\nFarol;Recife;sobra\n"Lumen;São Paulo\nTrama;Olinda\n')
    assert (seen["counts"]["ready"], seen["counts"]["invalid"]) == (1, 2)
    path = f"/api/v1/imports/{seen['id']}"
    again = house.call(house.ana, f"PATCH {path}", {"mapping": {"company_name": "Empresa"}}).ok()
    assert (again["counts"]["ready"], again["counts"]["invalid"]) == (1, 2)
    rows = house.get(house.ana, f"{path}/rows")["items"]
    assert rows[0]["problems"] == ["A linha tem 3 células e o cabeçalho 2."]
    house.post(house.ana, f"{path}/apply")
    assert [c["name"] for c in house.get(house.ana, "/api/v1/companies")["items"]] == ["Trama"]


BRANCHES = (
    "Empresa;CNPJ;Site;Telefone\n"
    "Lumen Matriz;04185296000113;lumen.com.br;(11) 3333-4444\n"
    "Lumen Filial;4185296000202;lumen.com.br;(11) 3333-4444\n"  # a sheet took the zero in front
)


@pytest.mark.parametrize("known", [None, {"domain": "lumen.com.br"}, {"document": CNPJ, "domain": "lumen.com.br"}])
def test_two_cnpjs_are_two_companies_whatever_else_agrees(house: House, known: dict[str, str] | None):
    if known is not None:
        house.company(house.ana, "Lumen", **known)
    seen = upload(house, house.ana, BRANCHES)
    house.post(house.ana, f"/api/v1/imports/{seen['id']}/apply")
    documents = {c["document"] for c in house.get(house.ana, "/api/v1/companies")["items"]}
    assert "04185296000202" in documents
    assert totals(house)[0] == (2 if known is None or "document" not in known else 3)
    again = upload(house, house.ana, BRANCHES)
    assert again["counts"]["duplicate"] == 2


def test_all_numbers_and_addresses_of_a_cell_are_kept(house: House):
    text = "Empresa;Telefone;Contato;Celular\nLumen;(11) 3333-4444 / 98765-4321;Carla;11 98888-7777 e 11 2222-3333\n"
    seen = upload(house, house.ana, text)
    house.post(house.ana, f"/api/v1/imports/{seen['id']}/apply")
    company = house.get(house.ana, "/api/v1/companies")["items"][0]
    assert (company["phone"], company["notes"]) == ("+5511987654321", "Também: +551133334444")
    contact = house.get(house.ana, "/api/v1/contacts")["items"][0]
    assert (contact["phone"], contact["notes"]) == ("+5511988887777", "Também: +551122223333")


@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"], indirect=True)
def test_people_whom_the_file_forbids_to_contact_are_suppressed_when_it_is_applied(house: House):
    text = (
        "Empresa;Contato;Celular;Valor;nao_contatar\n"
        "Lumen;Carla;11 98765-4321;;Sim\nFarol;Davi;11 98765-4322;;\nTrama;Eva;11 98765-4323;muito;x\n"
    )
    seen = upload(house, house.ana, text)
    path = f"/api/v1/imports/{seen['id']}"
    rows = house.get(house.ana, f"{path}/rows")["items"]
    assert [row["state"] for row in rows] == ["ready", "ready", "invalid"]
    assert rows[0]["problems"] == ["A planilha diz para não contatar esta pessoa."]
    house.mesh.drain()
    assert house.mesh.one("select count(*) from sdr.suppressions") == 0
    house.post(house.ana, f"{path}/apply")
    house.mesh.drain()
    assert house.mesh.one("select count(*) from sdr.suppressions where source = 'manual'") == 2
    assert totals(house)[:2] == (2, 2)
    house.post(house.ana, f"{path}/undo")
    again = upload(house, house.ana, text.replace("Sim", ""))
    row = house.get(house.ana, f"/api/v1/imports/{again['id']}/rows")["items"][0]
    assert row["problems"] == ["Esta pessoa pediu para não ser contatada."]
