"""Two CNPJs are two companies, whatever else agrees; headquarters and branch share their first eight digits."""

from tests.functions.hunter.conftest import Hunt

HEADQUARTERS, BRANCH = "04185296000113", "04185296000202"
FILE = (
    "Empresa;CNPJ;Site;Telefone;E-mail\n"
    f"Lúmen Matriz;{HEADQUARTERS};lumen-exemplo.com.br;(11) 95555-0160;oi@lumen-exemplo.com.br\n"
    f"Lúmen Filial;{BRANCH};lumen-exemplo.com.br;(11) 95555-0160;oi@lumen-exemplo.com.br\n"
)


def cnpjs(hunt: Hunt) -> set[str | None]:
    return {lead["cnpj"] for lead in hunt.leads() if lead["state"] != "duplicate"}


def test_headquarters_and_branch_of_one_file_are_two_leads_to_the_end(hunt: Hunt):
    report = hunt.imported(hunt.icp(), FILE).ok()
    assert (report["accepted"], report["duplicates"]) == (2, [])
    hunt.mesh.drain()
    assert cnpjs(hunt) == {HEADQUARTERS, BRANCH}
    assert "duplicate" not in {lead["state"] for lead in hunt.leads()}


def test_the_same_file_again_finds_each_of_them(hunt: Hunt):
    icp = hunt.icp()
    hunt.imported(icp, FILE).ok()
    again = hunt.imported(icp, FILE).ok()
    assert (again["accepted"], [line["line"] for line in again["duplicates"]]) == (0, [2, 3])
    assert hunt.mesh.one("select count(*) from hunter.leads") == 2


def test_a_branch_that_comes_later_is_a_lead_of_its_own(hunt: Hunt):
    icp = hunt.icp()
    header, headquarters, branch = FILE.splitlines()
    hunt.imported(icp, f"{header}\n{headquarters}\n").ok()
    hunt.mesh.drain()
    assert hunt.imported(icp, f"{header}\n{branch}\n").ok()["accepted"] == 1
    hunt.mesh.drain()
    assert cnpjs(hunt) == {HEADQUARTERS, BRANCH}


def test_a_line_without_cnpj_is_the_company_it_shares_a_key_with_and_joins_no_two(hunt: Hunt):
    nameless = "Lúmen;;lumen-exemplo.com.br;;\n"
    report = hunt.imported(hunt.icp(), FILE.replace("Lúmen Filial", f"{nameless.strip()}\nLúmen Filial")).ok()
    assert report["accepted"] == 2
    assert report["duplicates"] == [{"line": 3, "reason": "É a mesma empresa da linha 2."}]


def test_two_cnpjs_do_not_meet_in_a_lead_that_has_none(hunt: Hunt):
    icp = hunt.icp()
    hunt.imported(icp, "Empresa;Site\nLúmen;lumen-exemplo.com.br\n").ok()
    report = hunt.imported(icp, FILE).ok()
    assert (report["accepted"], [line["line"] for line in report["duplicates"]]) == (1, [2])


def test_nobody_is_written_to_at_the_number_of_a_blocked_company_whatever_the_cnpj(hunt: Hunt):
    icp = hunt.icp()
    header, headquarters, branch = FILE.splitlines()
    hunt.imported(icp, f"{header}\n{headquarters}\n").ok()
    hunt.mesh.drain()
    hunt.post(f"/api/v1/leads/{hunt.leads()[0]['id']}/never-contact", {"reason": "Pediu por telefone"})
    report = hunt.imported(icp, f"{header}\n{branch}\n").ok()
    assert report["rejected"] == [{"line": 2, "reason": "Esta empresa está marcada para nunca ser contatada."}]


def test_a_suggestion_that_turned_out_to_be_of_two_cnpjs_cannot_be_merged(hunt: Hunt):
    icp = hunt.icp()
    hunt.one_lead(icp, "Lúmen Comunicação;(11) 95555-0161;lumen.um@gmail.com;São Paulo;SP")
    hunt.one_lead(icp, "Lumen Comunicações Ltda;(11) 95555-0162;lumen.dois@gmail.com;São Paulo;SP")
    (found,) = hunt.get("/api/v1/merge-suggestions")["items"]
    for lead_id, cnpj in ((found["lead_id"], HEADQUARTERS), (found["other_id"], BRANCH)):
        hunt.call(hunt.diretora, f"PATCH /api/v1/leads/{lead_id}", {"cnpj": cnpj}).ok()
    choice = {"survivor_id": found["lead_id"]}
    path = f"POST /api/v1/merge-suggestions/{found['id']}/merge"
    hunt.call(hunt.diretora, path, choice).refused(409, "lead-state")


def test_the_site_of_a_branch_shows_its_headquarters_cnpj_and_takes_nothing_from_it(hunt: Hunt):
    """The world's site shows one CNPJ; the file says that this lead has another."""
    icp = hunt.icp()
    hunt.imported(icp, f"Empresa;CNPJ;Site\nFilial;{BRANCH};horizonte-exemplo.com.br\n").ok()
    hunt.mesh.drain()
    report = hunt.imported(icp, "Empresa;CNPJ\nMatriz;98000101000167\n").ok()
    assert report["accepted"] == 1
    hunt.mesh.drain()
    assert cnpjs(hunt) == {BRANCH, "98000101000167"}
