"""Activities, tags, saved views, the house's configuration, and a portfolio handed over."""

import pytest

from somos.mesh.ids import uuid7
from somos.modules.crm.actions import seed
from tests.functions.crm.conftest import House


def test_a_task_has_a_date_and_is_done_once(house: House):
    deal = house.deal(house.ana)
    draft = {"deal_id": deal["id"], "kind": "task", "subject": "Ligar"}
    house.call(house.ana, "POST /api/v1/deal-activities", draft).refused(422)
    task = house.post(house.ana, "/api/v1/deal-activities", {**draft, "due_at": "2026-12-01T12:00:00-03:00"})
    assert (task["assignee_id"], task["due_at"]) == (str(house.ana.id), "2026-12-01T15:00:00Z")
    pending = f"/api/v1/deal-activities?pending=true&deal_id={deal['id']}"
    assert len(house.get(house.ana, pending)["items"]) == 1
    done = house.post(house.ana, f"/api/v1/deal-activities/{task['id']}/done")
    house.wait(hours=1)
    assert house.post(house.ana, f"/api/v1/deal-activities/{task['id']}/done")["done_at"] == done["done_at"]
    assert house.get(house.ana, pending)["items"] == []


def test_what_the_system_wrote_down_does_not_change(house: House):
    deal = house.deal(house.ana, contact_id=house.contact(house.ana)["id"])
    stage = str(house.stages()["Qualificação"])
    house.post(house.ana, f"/api/v1/deals/{deal['id']}/move", {"stage_id": stage})
    fact = house.get(house.ana, "/api/v1/deal-activities?kind=stage_change")["items"][0]
    path = f"/api/v1/deal-activities/{fact['id']}"
    house.call(house.ana, f"PATCH {path}", {"subject": "x"}).refused(409, "system-record")
    house.call(house.ana, f"DELETE {path}").refused(409, "system-record")


def test_a_seller_gives_tasks_to_nobody_else(house: House):
    deal = house.deal(house.ana)
    task = {
        "deal_id": deal["id"], "kind": "task", "subject": "Ligar", "due_at": "2026-12-01T12:00:00Z",
        "assignee_id": str(house.bruno.id),
    }  # fmt: skip
    house.call(house.ana, "POST /api/v1/deal-activities", task).refused(422)
    assert house.post(house.diretora, "/api/v1/deal-activities", task)["assignee_id"] == str(house.bruno.id)


def test_a_tag_is_one_word_in_any_letters_and_marks_once(house: House):
    tag = house.post(house.ana, "/api/v1/tags", {"name": "Verão"})
    fresh = house.call(house.bruno, "POST /api/v1/tags", {"name": "VERAO"}).refused(409, "tag-exists")["fresh"]
    assert fresh == tag
    mark = {"tag_id": tag["id"], "company_id": house.company(house.ana)["id"]}
    assert house.post(house.ana, "/api/v1/taggings", mark) == house.post(house.ana, "/api/v1/taggings", mark)
    both = {**mark, "deal_id": house.deal(house.ana)["id"]}
    house.call(house.ana, "POST /api/v1/taggings", both).refused(422)
    house.call(house.diretora, f"DELETE /api/v1/tags/{tag['id']}").ok()
    assert house.get(house.ana, "/api/v1/taggings")["items"] == []


def test_a_saved_view_holds_only_filters_the_list_knows(house: House):
    view = {"view_of": "deals", "name": "Grandes", "filters": {"value_cents_from": 1_000_000, "state": "open"}}
    saved = house.post(house.ana, "/api/v1/saved-views", view)
    assert saved["filters"] == view["filters"]
    wrong = {**view, "name": "Outra", "filters": {"senha": "1"}}
    problem = house.call(house.ana, "POST /api/v1/saved-views", wrong).refused(422)
    assert problem["errors"][0]["field"] == "filters.senha"
    house.call(house.ana, "POST /api/v1/saved-views", view).refused(409, "view-exists")
    path = f"PATCH /api/v1/saved-views/{saved['id']}"
    assert house.call(house.ana, path, {"shared": True, "name": "Top"}).ok()["name"] == "Top"


def test_the_default_pipelines_are_installed_once_and_left_as_people_change_them(house: House):
    stage = house.stages()["Briefing"]
    house.call(house.diretora, f"PATCH /api/v1/deal-stages/{stage}", {"name": "Conversa"}).ok()
    house.call(house.diretora, f"DELETE /api/v1/deal-stages/{house.stages()['Negociação']}").ok()
    with house.mesh.db() as db:
        seed.install(db)
    assert list(house.stages()) == ["Novo contato", "Qualificação", "Conversa", "Proposta enviada"]
    codes = [item["code"] for item in house.get(house.ana, "/api/v1/pipelines")["items"]]
    assert codes == ["publicidade", "institucional", "evento", "recorrente"]


def test_a_pipeline_with_deals_is_retired_and_an_empty_one_is_deleted(house: House):
    house.deal(house.ana)
    house.call(house.diretora, f"DELETE /api/v1/pipelines/{house.pipeline()}").refused(409, "pipeline-in-use")
    stage = house.stages()["Novo contato"]
    house.call(house.diretora, f"DELETE /api/v1/deal-stages/{stage}").refused(409, "stage-in-use")
    mine = house.post(house.diretora, "/api/v1/pipelines", {"code": "clipe", "name": "Videoclipe"})
    draft = {"pipeline_id": mine["id"], "name": "Ideia", "position": 0, "probability": 5, "max_days": 4}
    made = house.post(house.diretora, "/api/v1/deal-stages", draft)
    assert (made["required_fields"], made["max_days"]) == ([], 4)
    house.call(house.diretora, "POST /api/v1/deal-stages", draft).refused(409, "stage-exists")
    house.call(house.diretora, f"DELETE /api/v1/pipelines/{mine['id']}").ok()


@pytest.mark.parametrize("body", [{"probability": 101}, {"max_days": 0}, {"required_fields": ["senha"]}])
def test_a_stage_that_makes_no_sense_is_refused(house: House, body: dict):
    stage = house.stages()["Briefing"]
    house.call(house.diretora, f"PATCH /api/v1/deal-stages/{stage}", body).refused(422)


def test_a_portfolio_is_handed_over_whole_and_every_change_is_in_the_audit_trail(house: House):
    company, contact = house.company(house.ana), house.contact(house.ana)
    deal = house.deal(house.ana, company_id=company["id"], contact_id=contact["id"])
    task = {"deal_id": deal["id"], "kind": "task", "subject": "Ligar", "due_at": "2026-12-01T12:00:00Z"}
    house.post(house.ana, "/api/v1/deal-activities", task)
    kept = house.deal(house.diretora, "Da casa")
    body = {"from_user_id": str(house.ana.id), "to_user_id": str(house.bruno.id), "reason": "Ana saiu"}
    record = house.post(house.diretora, "/api/v1/handovers", body)
    assert [record[what] for what in ("deals", "companies", "contacts", "tasks")] == [1, 1, 1, 1]
    assert house.get(house.ana, "/api/v1/deals")["items"] == []
    assert [d["id"] for d in house.get(house.bruno, "/api/v1/deals")["items"]] == [deal["id"]]
    assert house.get(house.diretora, f"/api/v1/deals/{kept['id']}")["owner_id"] == str(house.diretora.id)
    changes = house.mesh.rows(
        "select table_name from mesh.audit where changes -> 'owner_id' ->> 1 = :b and op = 'update' order by 1",
        b=str(house.bruno.id),
    )
    assert [row["table_name"] for row in changes] == ["crm.companies", "crm.contacts", "crm.deals"]


def test_a_portfolio_goes_only_to_somebody_who_sells(house: House):
    body = {"from_user_id": str(house.ana.id), "to_user_id": str(uuid7()), "reason": "x"}
    house.call(house.diretora, "POST /api/v1/handovers", body).refused(422)
    house.call(house.diretora, "POST /api/v1/handovers", {**body, "to_user_id": body["from_user_id"]}).refused(422)
