"""A spreadsheet is the other way in: the same steps, and every line accounted for."""

from typing import Any

import pytest

from tests.functions.hunter.conftest import Hunt
from tests.harness.mesh import Answer

HEADERS = "Empresa;CNPJ;Site;Telefone;E-mail;Cidade;UF;Funcionários"


@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"], indirect=True)
def test_companies_of_a_file_are_enriched_and_judged_by_the_same_steps(hunt: Hunt):
    icp = hunt.icp()
    rows = "Horizonte;;www.horizonte-exemplo.com.br;;;São Paulo;SP;\nSem site;;;11 95555-0190;;São Paulo;SP;90\n"
    report = hunt.imported(icp, f"{HEADERS}\n{rows}").ok()
    assert (report["lines"], report["accepted"]) == (2, 2)
    hunt.mesh.drain()
    lead = hunt.lead("horizonte")
    assert (lead["state"], lead["score"], lead["source"]) == ("qualified", 100, "csv")
    assert lead["cnpj"] == "98000101000167"
    (name,) = [s for s in lead["sources"] if s["field"] == "company_name" and s["wins"]]
    assert (name["source"], name["value"], name["url"]) == ("csv", "Horizonte", "planilha.csv#L2")
    task = hunt.get(f"/api/v1/agents/tasks/{report['task_id']}/result")
    assert (task["state"], task["result"]["found"], task["result"]["settled"]) == ("succeeded", 2, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("delimiter", [";", ","])
def test_every_line_ends_as_accepted_duplicate_or_rejected_with_its_number(hunt: Hunt, encoding: str, delimiter: str):
    icp = hunt.icp()
    hunt.imported(icp, "Empresa;Celular\nJá existe;11 95555-0181\n").ok()
    text = (
        f"{HEADERS}\n"
        "Agência Ação;11.222.333/0001-81;;;;São Paulo;SP;\n"
        "Repetida;11222333000181;;;;;;\n"
        ";;;;;;;\n"
        "CNPJ errado;11222333000180;;;;;;\n"
        "Conhecida;;;(11) 95555-0181;;;;\n"
        ";;;;;São Paulo;SP;\n"
        "Telefone ruim;;;ramal 3;;;;\n"
        "Sobra;;;;;;;;x\n"
    ).replace(";", delimiter)
    report = hunt.imported(icp, text, encoding).ok()
    assert report["lines"] == 7
    assert report["accepted"] == 2
    assert [line["line"] for line in report["duplicates"]] == [3, 6]
    assert report["duplicates"][0]["reason"] == "É a mesma empresa da linha 2."
    assert [(line["line"], line["reason"]) for line in report["rejected"]] == [
        (5, "CNPJ inválido: 11222333000180"),
        (7, "Falta o nome da empresa, o CNPJ ou outro dado que a identifique."),
        (9, "A linha tem 9 células e o cabeçalho 8."),
    ]
    assert report["warnings"] == [{"line": 8, "reason": "telefone não reconhecido: ramal 3"}]
    assert report["accepted"] + len(report["duplicates"]) + len(report["rejected"]) == report["lines"]
    assert report["delimiter"] == delimiter
    hunt.mesh.drain()
    assert "Agência Ação" in {lead["company_name"] for lead in hunt.leads()}


def test_the_same_file_twice_adds_nothing(hunt: Hunt):
    icp = hunt.icp()
    text = "Empresa;Celular;Cidade\nLúmen;11 95555-0181;São Paulo\nSó o nome;;Recife\nSó o nome;;Recife\n"
    first = hunt.imported(icp, text).ok()
    assert (first["accepted"], len(first["duplicates"])) == (2, 1)
    again = hunt.imported(icp, text).ok()
    assert (again["accepted"], len(again["duplicates"])) == (0, 3)
    assert hunt.mesh.one("select count(*) from hunter.leads") == 2


def test_a_file_without_anything_new_ends_at_once(hunt: Hunt):
    report = hunt.imported(hunt.icp(), "Empresa;CNPJ\nErrada;1\n").ok()
    assert report["accepted"] == 0
    assert hunt.get(f"/api/v1/search-sessions/{report['session_id']}")["state"] == "completed"


def test_a_suppressed_number_is_refused_with_the_reason(hunt: Hunt, monkeypatch: pytest.MonkeyPatch):
    from somos.modules.relations.queries import addresses

    monkeypatch.setattr(
        addresses, "suppressed_among", lambda db, persons: {one for one in persons if one.phone == "+5511955550181"}
    )
    report = hunt.imported(hunt.icp(), "Empresa;Celular\nPediu;11 95555-0181\nOutra;11 95555-0182\n").ok()
    assert report["rejected"] == [{"line": 2, "reason": "A pessoa pediu para não receber contato."}]
    assert report["accepted"] == 1


@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"], indirect=True)
def test_companies_that_the_file_forbids_to_contact_begin_blocked_and_their_people_suppressed(hunt: Hunt):
    icp = hunt.icp()
    known = hunt.one_lead(icp, "Conhecida;(11) 95555-0183;;;")
    text = (
        "Empresa;Celular;E-mail;Site;nao_contatar\n"
        "Um;11 95555-0181 / 11 95555-0188;um@gmail.com;;Sim\n"
        "Dois;;;dois-exemplo.com.br;x\n"
        "Três;11 95555-0182;;;\n"
        "Conhecida;11 95555-0183;;;VERDADEIRO\n"
        "Quatro;11 95555-0184;;;talvez\n"
        "Dois outra vez;;;dois-exemplo.com.br;não\n"
    )
    report = hunt.imported(icp, text).ok()
    assert report["accepted"] == 1
    never = "Marcada para não ser contatada: ficou bloqueada."
    assert [(line["line"], line["reason"]) for line in report["rejected"]] == [
        (2, never),
        (3, never),
        (5, never),
        (6, "Não se entende se a pessoa pode ser contatada: talvez"),
        (7, "A linha 3 diz para não contatar esta empresa."),
    ]
    blocked = {lead["company_name"] for lead in hunt.leads("state=blocked")}
    assert blocked == {"Um", "Dois", "Conhecida"}  # before anything else has run
    hunt.mesh.drain()
    assert hunt.mesh.one("select count(*) from sdr.suppressions where source = 'manual'") == 4
    assert hunt.get(f"/api/v1/leads/{known['id']}")["state"] == "blocked"
    session = hunt.get(f"/api/v1/search-sessions/{report['session_id']}")
    assert (session["state"], session["found"], session["settled"], session["blocked"]) == ("completed", 3, 3, 2)


def test_a_blank_lifts_nothing_and_a_second_number_of_a_cell_counts(hunt: Hunt):
    icp = hunt.icp()
    hunt.imported(icp, "Empresa;Celular;nao_contatar\nUm;11 95555-0181;Sim\n").ok()
    hunt.mesh.drain()
    report = hunt.imported(
        icp, "Empresa;Celular;nao_contatar\nUm;11 95555-0181;\nUm;11 95555-0189 / 11 95555-0181;não\n"
    ).ok()
    suppressed = "A pessoa pediu para não receber contato."
    assert report["rejected"] == [{"line": 2, "reason": suppressed}, {"line": 3, "reason": suppressed}]
    assert [lead["state"] for lead in hunt.leads()] == ["blocked"]


def test_a_refused_line_that_forbids_contact_still_suppresses_its_people(hunt: Hunt):
    report = hunt.imported(hunt.icp(), "Empresa;CNPJ;Celular;nao_contatar\nUm;1;11 95555-0181;Sim\n").ok()
    assert report["rejected"] == [{"line": 2, "reason": "CNPJ inválido: 1"}]
    hunt.mesh.drain()
    assert hunt.mesh.one("select count(*) from sdr.suppressions") == 1


@pytest.mark.parametrize("content", ["", "\n\n", "Cor;Forma\nazul;redonda\n"])
def test_what_is_no_table_of_companies_is_refused_with_a_sentence(hunt: Hunt, content: str):
    hunt.imported(hunt.icp(), content).refused(422, "unreadable-file")


def test_a_file_may_come_from_a_form(hunt: Hunt):
    icp = hunt.icp()
    report = hunt.call(
        hunt.diretora,
        f"POST /api/v1/leads/import?icp_id={icp['id']}",
        data={"file": (__import__("io").BytesIO("Empresa\nLúmen\n".encode("latin-1")), "contatos.csv")},
        content_type="multipart/form-data",
    ).ok()
    assert report["accepted"] == 1
    assert hunt.mesh.one("select distinct url from hunter.lead_sources") == "contatos.csv#L2"


def sent_as_form(hunt: Hunt, icp: Any, text: str, key: str, boundary: str) -> Answer:
    """As a browser does: a form with a boundary that is new each time."""
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="contatos.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\n{text}\r\n--{boundary}--\r\n"
    )
    return hunt.call(
        hunt.diretora,
        f"POST /api/v1/leads/import?icp_id={icp['id']}",
        data=body.encode(),
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Idempotency-Key": key},
    )


def test_another_file_under_the_same_key_is_a_conflict_and_never_the_first_ones_answer(hunt: Hunt):
    icp = hunt.icp()
    sent_as_form(hunt, icp, "Empresa\nLúmen\n", "k1", "um").ok()
    sent_as_form(hunt, icp, "Empresa\nFarol\n", "k1", "um").refused(409, "key-reused")


def test_a_form_sent_again_is_answered_as_before_though_its_boundary_is_another(hunt: Hunt):
    icp = hunt.icp()
    first = sent_as_form(hunt, icp, "Empresa\nLúmen\n", "k1", "um")
    again = sent_as_form(hunt, icp, "Empresa\nLúmen\n", "k1", "dois")
    assert first.ok() == again.ok()
    assert again.headers["Idempotency-Replayed"] == "true"


def test_only_those_who_write_the_hunter_import(hunt: Hunt):
    icp = hunt.icp()
    hunt.imported(icp, "Empresa\nLúmen\n", who=hunt.comercial).refused(403)


def test_a_large_file_is_taken_in_within_a_request(hunt: Hunt):
    rows = "\n".join(f"Empresa {n};contato{n}@gmail.com;São Paulo" for n in range(1500))
    report = hunt.imported(hunt.icp(), f"Empresa;E-mail;Cidade\n{rows}\n").ok()
    assert report["accepted"] == 1500
