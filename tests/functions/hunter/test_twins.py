"""Exact keys make one lead; alike names only make a suggestion, and a person decides."""

import pytest

from tests.functions.hunter.conftest import Hunt

PATH = "/api/v1/merge-suggestions"


@pytest.fixture
def pair(hunt: Hunt):
    """Two leads alike in name and city."""
    icp = hunt.icp()
    one = hunt.one_lead(icp, "Lúmen Comunicação;(11) 95555-0161;lumen.um@gmail.com;São Paulo;SP")
    other = hunt.one_lead(icp, "Lumen Comunicações Ltda;(11) 95555-0162;lumen.dois@gmail.com;São Paulo;SP")
    return one, other


def test_alike_names_in_one_city_are_suggested_and_nothing_merges_by_itself(hunt: Hunt, pair):
    (found,) = hunt.get(PATH)["items"]
    assert {found["lead_id"], found["other_id"]} == {lead["id"] for lead in pair}
    assert found["likeness"] >= 84
    assert {lead["state"] for lead in hunt.leads()} == {"rejected_campaign"}


def test_merging_keeps_both_histories_and_the_keys_of_both(hunt: Hunt, pair):
    (found,) = hunt.get(PATH)["items"]
    survivor, other = pair
    hunt.post(f"{PATH}/{found['id']}/merge", {"survivor_id": survivor["id"]})
    gone = hunt.get(f"/api/v1/leads/{other['id']}")
    assert (gone["state"], gone["duplicate_of"]) == ("duplicate", survivor["id"])
    emails = {s["value"] for s in hunt.get(f"/api/v1/leads/{survivor['id']}")["sources"] if s["field"] == "email"}
    assert emails == {"lumen.um@gmail.com", "lumen.dois@gmail.com"}
    report = hunt.imported(hunt.icp(), "Empresa;Celular\nOutra;11 95555-0162\n").ok()
    assert survivor["id"] in report["duplicates"][0]["reason"]
    hunt.call(hunt.diretora, f"POST {PATH}/{found['id']}/dismiss").refused(409, "suggestion-decided")


def test_a_dismissed_suggestion_does_not_come_back(hunt: Hunt, pair):
    (found,) = hunt.get(PATH)["items"]
    hunt.post(f"{PATH}/{found['id']}/dismiss")
    assert hunt.get(PATH)["items"] == []
    assert len(hunt.get(f"{PATH}?state=dismissed")["items"]) == 1


def test_sales_sees_suggestions_and_does_not_decide_them(hunt: Hunt, pair):
    (found,) = hunt.call(hunt.comercial, f"GET {PATH}").ok()["items"]
    hunt.call(hunt.comercial, f"POST {PATH}/{found['id']}/merge", {"survivor_id": pair[0]["id"]}).refused(403)
    hunt.call(hunt.diretora, f"POST {PATH}/{found['id']}/merge", {"survivor_id": found["id"]}).refused(422)


def test_a_company_whose_site_shows_a_known_number_is_that_company(hunt: Hunt):
    """A maps listing without a site, and a site with the same phone: one lead, the one with the site."""
    icp = hunt.icp()
    listed = hunt.one_lead(icp, "Agência Horizonte - Vila Madalena;(11) 95555-0101;;São Paulo;SP")
    hunt.imported(icp, "Empresa;Site\nHorizonte;horizonte-exemplo.com.br\n").ok()
    hunt.mesh.drain()
    survivor = hunt.lead("horizonte")
    gone = hunt.get(f"/api/v1/leads/{listed['id']}")
    assert (gone["state"], gone["duplicate_of"]) == ("duplicate", survivor["id"])
    assert survivor["state"] == "qualified"
    assert "Agência Horizonte - Vila Madalena" in {source["value"] for source in survivor["sources"]}


def test_a_site_that_belongs_to_a_blocked_company_is_blocked_too(hunt: Hunt):
    icp = hunt.icp()
    listed = hunt.one_lead(icp, "Horizonte;(11) 95555-0101;;São Paulo;SP")
    hunt.post(f"/api/v1/leads/{listed['id']}/never-contact", {"reason": "Pediu por telefone"})
    hunt.imported(icp, "Empresa;Site\nHorizonte;horizonte-exemplo.com.br\n").ok()
    hunt.mesh.drain()
    assert hunt.lead("horizonte")["state"] == "blocked"
    assert hunt.sessions(icp)[0]["blocked"] == 1


def test_two_cnpjs_that_share_a_phone_stay_two_companies(hunt: Hunt):
    icp = hunt.icp()
    rows = "Um;98000101000167;11 95555-0160\nDois;98000102000101;\n"
    hunt.imported(icp, f"Empresa;CNPJ;Telefone\n{rows}").ok()
    hunt.mesh.drain()
    assert {lead["state"] for lead in hunt.leads()} == {"rejected_campaign"}
    assert len(hunt.leads()) == 2


# --- what administrators teach -------------------------------------------------------------------------


def test_an_administrator_teaches_which_addresses_of_a_site_to_ignore(hunt: Hunt):
    rule = {"kind": "email", "action": "ignore", "pattern": "contato@*", "note": "Caixa geral"}
    hunt.call(hunt.diretora, "POST /api/v1/extraction-rules", rule).refused(403)
    made = hunt.call(hunt.admin, "POST /api/v1/extraction-rules", rule).ok()
    hunt.imported(hunt.icp(), "Empresa;Site\nHorizonte;horizonte-exemplo.com.br\n").ok()
    hunt.mesh.drain()
    assert hunt.lead("horizonte")["email"] == "ana@horizonte-exemplo.com.br"
    path = f"/api/v1/extraction-rules/{made['id']}"
    assert hunt.call(hunt.admin, f"PATCH {path}", {"active": False}).ok()["active"] is False
    assert hunt.call(hunt.admin, f"DELETE {path}").status == 204
    assert hunt.get("/api/v1/extraction-rules")["items"] == []


@pytest.mark.parametrize("pattern", ["*", "a*b*c*d*e*", "x"])
def test_a_pattern_that_would_take_everything_is_refused(hunt: Hunt, pattern: str):
    rule = {"kind": "email", "action": "ignore", "pattern": pattern}
    hunt.call(hunt.admin, "POST /api/v1/extraction-rules", rule).refused(422)
