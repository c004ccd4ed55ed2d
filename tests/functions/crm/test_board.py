"""The board and the forecast: whole counts, exact cents, the cards that wait too long marked."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from somos.modules.crm.rules.forecast import weighted_cents
from tests.functions.crm.conftest import House


def test_a_column_counts_and_sums_all_its_deals_and_shows_the_oldest_first(house: House):
    for number in range(4):
        house.deal(house.ana, f"Cartão {number}", value_cents=100 * number)
        house.wait(minutes=1)
    board = house.get(house.ana, f"/api/v1/deals/board?pipeline_id={house.pipeline()}&limit=2")
    first = board["columns"][0]
    assert (first["name"], first["count"], first["total_cents"]) == ("Novo contato", 4, 600)
    assert [card["title"] for card in first["cards"]] == ["Cartão 0", "Cartão 1"]
    assert (board["count"], board["total_cents"], len(board["columns"])) == (4, 600, 5)


@pytest.mark.any_day
def test_a_card_knows_its_company_its_next_step_and_its_days_in_the_stage(house: House):
    company, contact = house.company(house.ana), house.contact(house.ana)
    deal = house.deal(house.ana, company_id=company["id"], contact_id=contact["id"])
    house.wait(days=10)
    stage = house.stages()["Qualificação"]
    house.post(house.ana, f"/api/v1/deals/{deal['id']}/move", {"stage_id": str(stage)})
    task = {"deal_id": deal["id"], "kind": "task", "subject": "Ligar", "due_at": "2026-12-20T12:00:00Z"}
    house.post(house.ana, "/api/v1/deal-activities", task)
    path = f"/api/v1/deals/board?pipeline_id={house.pipeline()}"
    card = house.get(house.ana, path)["columns"][1]["cards"][0]
    assert (card["company_name"], card["contact_name"]) == ("Agência Lúmen", "Carla")
    assert (card["days_in_stage"], card["stale"]) == (0, False)
    assert card["next_step_at"].startswith("2026-12-20T12:00")
    house.wait(days=8)
    card = house.get(house.ana, path)["columns"][1]["cards"][0]
    assert (card["days_in_stage"], card["stale"]) == (8, True)


def test_the_board_takes_the_filters_of_the_list(house: House):
    house.deal(house.ana, "Comercial de TV", value_cents=500)
    house.deal(house.bruno, "Making of", value_cents=700)
    path = f"/api/v1/deals/board?pipeline_id={house.pipeline()}"
    assert house.get(house.diretora, f"{path}&owner_id={house.bruno.id}")["total_cents"] == 700
    assert house.get(house.diretora, f"{path}&q=tv")["total_cents"] == 500


def test_won_and_lost_deals_leave_the_board(house: House):
    house.won(house.ana)
    board = house.get(house.ana, f"/api/v1/deals/board?pipeline_id={house.pipeline()}")
    assert board["count"] == 0


def test_the_forecast_weighs_each_open_deal_by_month(house: House):
    house.deal(house.ana, value_cents=333, expected_close_date="2026-12-31")
    house.deal(house.ana, value_cents=335, expected_close_date="2026-12-01")
    house.deal(house.ana, value_cents=1_000, expected_close_date="2027-01-01")
    house.deal(house.ana, value_cents=50)
    forecast = house.get(house.ana, "/api/v1/deals/forecast")
    assert [(m["month"], m["count"], m["total_cents"], m["weighted_cents"]) for m in forecast["months"]] == [
        ("2026-12", 2, 668, 33 + 34),
        ("2027-01", 1, 1_000, 100),
        (None, 1, 50, 5),
    ]
    assert forecast["weighted_cents"] == 172


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 10**13), st.integers(0, 100)), min_size=1, max_size=8))
def test_the_database_rounds_exactly_as_the_rule_does(house: House, deals: list[tuple[int, int]]):
    house.sql("delete from crm.deals")
    pipeline, stage = house.pipeline(), house.stages()["Novo contato"]
    with house.mesh.db() as db:
        for value, probability in deals:
            db.execute(
                text(
                    "insert into crm.deals (id, title, title_key, pipeline_id, stage_id, stage_entered_at, state, "
                    "value_cents, probability, origin, version) values (gen_random_uuid(), 'x', 'x', :p, :s, :now, "
                    "'open', :v, :c, 'manual', 1)"
                ),
                {"p": pipeline, "s": stage, "v": value, "c": probability, "now": house.mesh.time},
            )
    summary = house.get(house.diretora, "/api/v1/deals/summary")
    assert summary["total_cents"] == sum(value for value, _ in deals)
    assert summary["weighted_cents"] == sum(weighted_cents(value, chance) for value, chance in deals)
