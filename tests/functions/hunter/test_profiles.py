"""Profiles: saved as versions, read by sales, kept from clients."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.functions.hunter.conftest import CRITERIA, Hunt

PATH = "/api/v1/icp-profiles"


def test_other_criteria_are_a_new_version_and_the_same_ones_are_not(hunt: Hunt):
    icp = hunt.icp()
    assert (icp["number"], icp["version"]) == (1, 1)
    changed = {**icp["criteria"], "employees_min": 80}
    second = hunt.call(hunt.diretora, f"PATCH {PATH}/{icp['id']}", {"criteria": changed}).ok()
    assert (second["number"], second["criteria"]["employees_min"]) == (2, 80)
    assert second["rubric_version"] != icp["rubric_version"]
    same = hunt.call(hunt.diretora, f"PATCH {PATH}/{icp['id']}", {"criteria": changed, "name": "Outro nome"}).ok()
    assert (same["number"], same["name"]) == (2, "Outro nome")
    versions = hunt.get(f"{PATH}/{icp['id']}/versions")["items"]
    assert [(one["number"], one["criteria"]["employees_min"]) for one in versions] == [(2, 80), (1, 50)]


def test_a_saved_version_is_changed_by_nobody_not_even_the_system(hunt: Hunt):
    hunt.icp()
    with pytest.raises(DBAPIError), hunt.mesh.db() as db:
        db.execute(text("update hunter.icp_versions set number = 9"))


def test_a_search_keeps_the_version_it_was_started_with(hunt: Hunt):
    icp = hunt.icp(segments=["indústria metalúrgica"], cnaes=["25"])
    session = hunt.search(icp)
    hunt.call(hunt.diretora, f"PATCH {PATH}/{icp['id']}", {"criteria": CRITERIA}).ok()
    hunt.mesh.drain()
    assert hunt.session(session)["icp_number"] == 1
    assert {lead["icp_number"] for lead in hunt.leads()} == {1}


def test_a_profile_shows_what_its_criteria_are_worth(hunt: Hunt):
    rubric = hunt.icp()["rubric"]
    assert sum(one["points"] for one in rubric) == 100
    assert rubric[0]["question"] == "A empresa atua em: agência de publicidade?"


def test_a_stale_change_is_refused(hunt: Hunt):
    icp = hunt.icp()
    path = f"PATCH {PATH}/{icp['id']}"
    hunt.call(hunt.diretora, path, {"name": "Novo"}, headers={"If-Match": '"1"'}).ok()
    hunt.call(hunt.diretora, path, {"name": "Velho"}, headers={"If-Match": '"1"'}).refused(412)


def test_archived_profiles_are_listed_only_when_asked_for(hunt: Hunt):
    icp = hunt.icp()
    assert hunt.call(hunt.diretora, f"DELETE {PATH}/{icp['id']}").status == 204
    assert hunt.get(PATH)["items"] == []
    assert [one["id"] for one in hunt.get(f"{PATH}?archived=true")["items"]] == [icp["id"]]


def test_sales_reads_profiles_and_clients_see_none(hunt: Hunt):
    icp = hunt.icp()
    assert hunt.call(hunt.comercial, f"GET {PATH}/{icp['id']}").ok()["name"] == icp["name"]
    hunt.call(hunt.comercial, f"POST {PATH}", {"name": "X de vendas", "criteria": CRITERIA}).refused(403)
    hunt.call(hunt.comercial, "POST /api/v1/hunter/search", {"icp_id": icp["id"]}).refused(403)
    client = hunt.mesh.person("Cliente", client_company_id=hunt.diretora.id)
    hunt.call(client, f"GET {PATH}/{icp['id']}").refused(403)


@pytest.mark.parametrize(
    ("criteria", "field"),
    [
        ({"segments": []}, "criteria.segments"),
        ({**CRITERIA, "ufs": ["XX"]}, "criteria.ufs.0"),
        ({**CRITERIA, "employees_min": 0}, "criteria.employees_min"),
        ({**CRITERIA, "cor": "azul"}, "criteria.cor"),
    ],
)
def test_what_is_wrong_in_a_profile_is_said_field_by_field(hunt: Hunt, criteria, field):
    problem = hunt.call(hunt.diretora, f"POST {PATH}", {"name": "Errado", "criteria": criteria}).refused(422)
    assert problem["errors"][0]["field"] == field
