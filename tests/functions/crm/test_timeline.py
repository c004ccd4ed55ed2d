"""The timeline: activities, changes of fields with who and when, messages, newest first, page by page."""

import pytest

from somos.mesh import Patch
from somos.modules.crm.rules.timeline import LABELS
from somos.modules.crm.schemas.companies import CompanyPatch
from somos.modules.crm.schemas.contacts import ContactPatch
from somos.modules.crm.schemas.deals import DealPatch
from tests.functions.crm.conftest import House


@pytest.mark.parametrize("patch", [DealPatch, CompanyPatch, ContactPatch])
def test_whatever_a_person_may_change_has_a_name_in_the_timeline(patch: type[Patch]):
    unnamed = set(patch.model_fields) - set(LABELS)
    assert not unnamed, "no change of these would be told: name them in somos.modules.crm.rules.timeline.LABELS"


def test_changes_of_fields_tell_old_new_who_and_when(house: House):
    deal = house.deal(house.ana, value_cents=100)
    house.call(house.diretora, f"PATCH /api/v1/deals/{deal['id']}", {"value_cents": 250, "title": "Novo nome"}).ok()
    items = house.get(house.ana, f"/api/v1/deals/{deal['id']}/timeline")["items"]
    assert [item["kind"] for item in items] == ["field_change", "created"]
    change = items[0]
    assert (change["title"], change["actor_id"], change["actor_kind"]) == (
        "Alterou título, valor", str(house.diretora.id), "user",
    )  # fmt: skip
    assert [(c["label"], c["old"], c["new"]) for c in change["changes"]] == [
        ("título", "Filme institucional", "Novo nome"),
        ("valor", 100, 250),
    ]
    assert (change["function"], items[1]["actor_id"]) == ("crm-deals", str(house.ana.id))


def test_a_company_shows_its_own_changes_and_what_happened_in_its_deals(house: House):
    company = house.company(house.ana)
    deal = house.deal(house.ana, company_id=company["id"])
    note = {"deal_id": deal["id"], "kind": "note", "subject": "Gostaram do rolo", "body": "Muito"}
    house.post(house.ana, "/api/v1/deal-activities", note)
    house.call(house.ana, f"PATCH /api/v1/companies/{company['id']}", {"city": "Recife"}).ok()
    items = house.get(house.ana, f"/api/v1/companies/{company['id']}/timeline")["items"]
    assert {item["title"] for item in items} == {"Gostaram do rolo", "Criado", "Alterou cidade"}


def test_pages_hold_every_item_once_also_when_times_are_equal(house: House):
    deal = house.deal(house.ana)
    for number in range(7):
        note = {"deal_id": deal["id"], "kind": "note", "subject": f"Nota {number}"}
        house.post(house.ana, "/api/v1/deal-activities", note)
    path = f"/api/v1/deals/{deal['id']}/timeline?limit=3"
    seen, cursor = [], ""
    for _ in range(10):
        page = house.get(house.ana, path + cursor)
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 8
    house.call(house.ana, f"GET {path}&cursor=qualquer").refused(422)


def test_every_change_of_a_business_row_has_its_audit_row(house: House):
    deal = house.deal(house.ana, contact_id=house.contact(house.ana)["id"])
    before = house.mesh.one("select count(*) from mesh.audit where row_id = :d", d=deal["id"])
    house.post(house.ana, f"/api/v1/deals/{deal['id']}/move", {"stage_id": str(house.stages()["Qualificação"])})
    house.call(house.ana, f"PATCH /api/v1/deals/{deal['id']}", {"value_cents": 5}).ok()
    house.call(house.ana, f"DELETE /api/v1/deals/{deal['id']}").ok()
    rows = house.mesh.rows("select op from mesh.audit where row_id = :d order by id", d=deal["id"])
    assert [row["op"] for row in rows[before:]] == ["update", "update", "delete"]
