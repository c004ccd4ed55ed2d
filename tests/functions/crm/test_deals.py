"""Deals: opened, read, changed and deleted by those who may."""

import pytest

from somos.mesh import clock
from somos.mesh.ids import uuid7
from tests.functions.crm.conftest import CNPJ, House


def test_a_new_deal_starts_in_the_first_stage_with_its_owner_and_history(house: House):
    deal = house.deal(house.ana, value_cents=500_000)
    assert deal["owner_id"] == str(house.ana.id)
    assert (deal["state"], deal["probability"], deal["version"]) == ("open", 10, 1)
    assert [row["name"] for row in house.history(deal["id"])] == ["Novo contato"]


def test_a_deal_read_alone_carries_its_etag(house: House):
    deal = house.deal(house.ana)
    answer = house.call(house.ana, f"GET /api/v1/deals/{deal['id']}")
    assert answer.headers["ETag"] == '"1"'
    assert answer.ok() == deal


def test_a_change_bumps_the_version_and_a_stale_one_is_refused(house: House):
    deal = house.deal(house.ana)
    path = f"PATCH /api/v1/deals/{deal['id']}"
    changed = house.call(house.ana, path, {"value_cents": 9_900}, headers={"If-Match": '"1"'}).ok()
    assert (changed["value_cents"], changed["version"]) == (9_900, 2)
    house.call(house.ana, path, {"value_cents": 1}, headers={"If-Match": '"1"'}).refused(412)


def test_what_a_patch_does_not_send_stays_and_null_empties_only_what_may_be_empty(house: House):
    deal = house.deal(house.ana, value_cents=100, expected_close_date="2026-12-01")
    path = f"PATCH /api/v1/deals/{deal['id']}"
    changed = house.call(house.ana, path, {"expected_close_date": None}).ok()
    assert (changed["expected_close_date"], changed["value_cents"]) == (None, 100)
    house.call(house.ana, path, {"title": None}).refused(422)
    house.call(house.ana, path, {"value_cents": -1}).refused(422)
    house.call(house.ana, path, {"value_cents": 10.5}).refused(422)


@pytest.mark.parametrize("field", ["company_id", "contact_id"])
def test_a_deal_is_not_tied_to_a_record_its_author_cannot_see(house: House, field: str):
    hidden = house.company(house.bruno) if field == "company_id" else house.contact(house.bruno)
    body = {"title": "Espiada", field: hidden["id"]}
    problem = house.call(house.ana, "POST /api/v1/deals", body).refused(422)
    missing = house.call(house.ana, "POST /api/v1/deals", {**body, field: str(house.ana.id)}).refused(422)
    assert problem["errors"] == missing["errors"]


def test_a_seller_gives_no_deal_away_and_the_direction_does(house: House):
    deal = house.deal(house.ana)
    path = f"PATCH /api/v1/deals/{deal['id']}"
    house.call(house.ana, path, {"owner_id": str(house.bruno.id)}).refused(403, "reassign-forbidden")
    house.call(house.ana, path, {"owner_id": None}).refused(403, "reassign-forbidden")
    given = house.call(house.diretora, path, {"owner_id": str(house.bruno.id)}).ok()
    assert given["owner_id"] == str(house.bruno.id)
    house.call(house.ana, f"GET /api/v1/deals/{deal['id']}").refused(404)


def test_a_deal_is_given_only_to_somebody_who_sells(house: House):
    cliente = house.mesh.person("Cliente", client_company_id=uuid7())
    body = {"title": "Estranho", "owner_id": str(cliente.id)}
    house.call(house.diretora, "POST /api/v1/deals", body).refused(422)


def test_a_slip_is_deleted_and_a_won_deal_is_not(house: House):
    deal = house.deal(house.ana)
    assert house.call(house.ana, f"DELETE /api/v1/deals/{deal['id']}").status == 204
    house.call(house.ana, f"GET /api/v1/deals/{deal['id']}").refused(404)
    won = house.won(house.ana)
    house.call(house.ana, f"DELETE /api/v1/deals/{won['id']}").refused(409, "deal-closed")


def test_lists_are_filtered_sorted_and_paged(house: House):
    for number in range(5):
        house.deal(house.ana, f"Vídeo {number}", value_cents=number * 100)
    page = house.get(house.ana, "/api/v1/deals?sort=-value_cents&limit=2&value_cents_to=300")
    assert [deal["value_cents"] for deal in page["items"]] == [300, 200]
    rest = house.get(house.ana, f"/api/v1/deals?sort=-value_cents&limit=5&value_cents_to=300&cursor={page['next']}")
    assert [deal["value_cents"] for deal in rest["items"]] == [100, 0]
    found = house.get(house.ana, "/api/v1/deals?q=VIDEO%204")["items"]
    assert [deal["title"] for deal in found] == ["Vídeo 4"]
    house.call(house.ana, "GET /api/v1/deals?senha=1").refused(422)


def test_open_deals_without_a_next_step_are_listed(house: House):
    planned, idle = house.deal(house.ana, "Com tarefa"), house.deal(house.ana, "Parado")
    task = {"deal_id": planned["id"], "kind": "task", "subject": "Ligar", "due_at": "2026-12-01T12:00:00Z"}
    house.post(house.ana, "/api/v1/deal-activities", task)
    titles = [deal["title"] for deal in house.get(house.ana, "/api/v1/deals?without_next_step=true")["items"]]
    assert titles == [idle["title"]]


def test_the_same_request_sent_twice_opens_one_deal(house: House):
    key = {"Idempotency-Key": "abrir-1"}
    first = house.call(house.ana, "POST /api/v1/deals", {"title": "Único"}, headers=key).ok()
    second = house.call(house.ana, "POST /api/v1/deals", {"title": "Único"}, headers=key).ok()
    assert first == second
    assert house.mesh.one("select count(*) from crm.deals") == 1


def test_many_deals_are_changed_at_once_or_none_is(house: House):
    deals = [house.deal(house.ana, f"Lote {n}") for n in range(3)]
    tag = house.post(house.ana, "/api/v1/tags", {"name": "Verão"})
    edit = {
        "ids": [deal["id"] for deal in deals],
        "changes": {"expected_close_date": "2027-01-15", "add_tag_ids": [tag["id"]]},
    }
    assert house.post(house.ana, "/api/v1/deals/bulk", edit) == {"changed": 3}
    assert len(house.get(house.ana, f"/api/v1/deals?tag_id={tag['id']}")["items"]) == 3

    hidden = house.deal(house.bruno)
    mixed = {"ids": [deals[0]["id"], hidden["id"]], "changes": {"probability": 99}}
    house.call(house.ana, "POST /api/v1/deals/bulk", mixed).refused(404)
    assert house.get(house.ana, f"/api/v1/deals/{deals[0]['id']}")["probability"] == 10


@pytest.mark.any_day
def test_an_export_holds_what_the_list_holds_and_no_formula(house: House):
    company = house.company(house.ana, document=CNPJ)
    house.deal(house.ana, "=CMD()", value_cents=123_456, company_id=company["id"])
    answer = house.call(house.ana, "GET /api/v1/deals/export")
    assert answer.headers["Content-Type"].startswith("text/csv")
    header, line = answer.raw.decode("utf-8-sig").splitlines()
    assert header.startswith("Título;Funil;Etapa")
    assert line.startswith("'=CMD();Publicidade;Novo contato;aberto;1234,56;10;")
    assert line.endswith(f";{clock.today()}")
