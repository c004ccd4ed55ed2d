"""The life of a deal through its endpoints: every guard answers, every move leaves its trace."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from somos.mesh import clock
from somos.mesh.dispatch import sqlstate
from tests.functions.crm.conftest import House


def move(house: House, who: Any, deal: Any, stage: Any, **more: Any) -> Any:
    return house.call(who, f"POST /api/v1/deals/{deal['id']}/move", {"stage_id": str(stage), **more})


def test_a_move_changes_stage_probability_history_and_activity_together(house: House):
    deal = house.deal(house.ana, contact_id=house.contact(house.ana)["id"])
    house.wait(days=2)
    moved = move(house, house.ana, deal, house.stages()["Qualificação"]).ok()
    assert moved["probability"] == 20
    assert [row["name"] for row in house.history(deal["id"])] == ["Novo contato", "Qualificação"]
    subjects = house.mesh.rows("select subject, author_id from crm.deal_activities")
    assert [(row["subject"], row["author_id"]) for row in subjects] == [("Novo contato → Qualificação", house.ana.id)]


def test_moving_to_the_same_stage_changes_nothing(house: House):
    deal = house.deal(house.ana)
    again = move(house, house.ana, deal, deal["stage_id"], version=99).ok()
    assert again == deal
    assert len(house.history(deal["id"])) == 1


def test_a_refused_move_returns_the_reason_and_the_card_as_it_is(house: House):
    deal = house.deal(house.ana)
    problem = move(house, house.ana, deal, house.stages()["Proposta enviada"]).refused(409, "stage-requires")
    assert problem["detail"] == "Para entrar em Proposta enviada, preencha: empresa, valor."
    assert problem["fresh"]["stage_id"] == deal["stage_id"]


def test_a_stage_of_another_pipeline_is_refused(house: House):
    stage = house.stages("evento")["Novo contato"]
    move(house, house.ana, house.deal(house.ana), stage).refused(409, "stage-of-another-pipeline")


def test_who_moves_from_an_old_view_of_the_card_gets_the_fresh_one(house: House):
    deal = house.deal(house.ana, contact_id=house.contact(house.ana)["id"])
    stages = house.stages()
    move(house, house.diretora, deal, stages["Qualificação"], version=1).ok()
    problem = move(house, house.ana, deal, stages["Briefing"], version=1).refused(409, "deal-changed")
    assert problem["fresh"]["stage_id"] == str(stages["Qualificação"])
    assert problem["fresh"]["version"] == 2


@pytest.mark.committed
def test_two_people_move_the_same_card_at_once_and_one_is_told(busy_house: House):
    house = busy_house
    stages = house.stages("recorrente")
    contact, company = house.contact(house.ana), house.company(house.ana)
    deal = house.deal(
        house.ana, contact_id=contact["id"], company_id=company["id"], pipeline_id=str(house.pipeline("recorrente"))
    )
    for _ in range(5):
        before = house.get(house.ana, f"/api/v1/deals/{deal['id']}")
        targets = [stages[name] for name in ("Qualificação", "Piloto")]
        if before["stage_id"] in map(str, targets):
            move(house, house.ana, deal, stages["Novo contato"]).ok()
            before = house.get(house.ana, f"/api/v1/deals/{deal['id']}")
        start, answers = Barrier(2), []

        def go(who: Any, target: Any, start: Barrier = start, answers: list = answers, seen: Any = before) -> None:
            start.wait()
            answers.append(move(house, who, deal, target, version=seen["version"]))

        people = [Thread(target=go, args=pair) for pair in zip((house.ana, house.diretora), targets, strict=True)]
        for person in people:
            person.start()
        for person in people:
            person.join()
        assert sorted(answer.status for answer in answers) == [200, 409]
        winner = next(answer for answer in answers if answer.status == 200).json
        loser = next(answer for answer in answers if answer.status == 409).json
        assert loser["fresh"]["stage_id"] == winner["stage_id"]
        assert loser["fresh"]["version"] == winner["version"]


@pytest.mark.committed
def test_who_waited_for_another_persons_move_is_told_even_without_naming_a_version(busy_house: House):
    house = busy_house
    deal = house.deal(house.ana)
    waiting = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%crm.deals%'")
    with ThreadPoolExecutor(1) as ana, house.mesh.db() as slower:
        slower.execute(text("update crm.deals set version = 2, value_cents = 7 where id = :d"), {"d": deal["id"]})
        answer = ana.submit(move, house, house.ana, deal, house.stages()["Qualificação"])
        with house.mesh.db() as watch:
            while not watch.scalar(waiting):
                watch.execute(text("select pg_stat_clear_snapshot()"))
        slower.commit()
        fresh = answer.result().refused(409, "deal-changed")["fresh"]
    assert (fresh["version"], fresh["value_cents"]) == (2, 7)


def test_winning_says_everything_that_is_missing(house: House):
    deal = house.deal(house.ana)
    problem = house.call(house.ana, f"POST /api/v1/deals/{deal['id']}/win", {}).refused(409, "win-requires")
    for words in ("valor", "data de fechamento", "empresa", "orçamento aceito"):
        assert words in problem["detail"]


def test_a_company_without_document_wins_nothing(house: House):
    company = house.company(house.ana)
    deal = house.deal(house.ana, company_id=company["id"], value_cents=1, expected_close_date="2026-12-01")
    answer = house.call(house.ana, f"POST /api/v1/deals/{deal['id']}/win", {"override_reason": "verbal"})
    assert "CNPJ ou CPF" in answer.refused(409, "win-requires")["detail"]


@pytest.mark.any_day
def test_a_won_deal_is_closed_certain_and_announced_once(house: House):
    won = house.won(house.ana)
    assert (won["state"], won["probability"], won["closed_on"]) == ("won", 100, str(clock.today() - timedelta(days=3)))
    assert house.mesh.one("select count(*) from mesh.outbox where type = 'crm.deal_won'") == 1
    house.call(house.ana, f"POST /api/v1/deals/{won['id']}/win", {}).refused(409, "deal-closed")
    house.mesh.drain()
    tasks = house.mesh.rows("select subject, assignee_id from crm.deal_activities where kind = 'task'")
    assert [(row["subject"], row["assignee_id"]) for row in tasks] == [("Preparar o contrato", house.ana.id)]


def test_losing_needs_a_reason_and_reopening_gives_it_back(house: House):
    deal = house.deal(house.ana)
    path = f"POST /api/v1/deals/{deal['id']}"
    house.call(house.ana, f"{path}/lose", {}).refused(422)
    lost = house.call(house.ana, f"{path}/lose", {"lost_reason_id": str(house.lost_reason())}).ok()
    assert (lost["state"], lost["probability"]) == ("lost", 0)
    house.call(house.ana, f"PATCH /api/v1/deals/{deal['id']}", {"value_cents": 1}).refused(409, "deal-closed")
    house.wait(days=30)
    why = {"reason": "O cliente voltou", "expected_close_date": "2027-02-01"}
    again = house.call(house.ana, f"{path}/reopen", why).ok()
    assert (again["state"], again["probability"], again["lost_reason_id"]) == ("open", 10, None)
    assert [row["state"] for row in house.history(deal["id"])] == ["open", "lost", "open"]


def test_only_the_direction_reopens_what_was_won(house: House):
    won = house.won(house.ana)
    why = {"reason": "Assinou errado", "expected_close_date": "2027-02-01"}
    path = f"POST /api/v1/deals/{won['id']}/reopen"
    house.call(house.ana, path, why).refused(409, "reopen-won-forbidden")
    assert house.call(house.diretora, path, why).ok()["state"] == "open"


def test_the_history_adds_up_to_the_age_of_the_deal(house: House):
    deal = house.deal(house.ana, contact_id=house.contact(house.ana)["id"])
    stages = house.stages()
    for name, days in (("Qualificação", 3.5), ("Novo contato", 0.25), ("Qualificação", 12)):
        house.wait(days=days)
        move(house, house.ana, deal, stages[name]).ok()
    house.call(house.ana, f"POST /api/v1/deals/{deal['id']}/lose", {"lost_reason_id": str(house.lost_reason())}).ok()
    house.wait(days=7)
    history = house.get(house.ana, f"/api/v1/deals/{deal['id']}/history")
    assert sum(span["seconds"] for span in history["spans"]) == history["age_seconds"] == 22.75 * 86_400


def test_the_database_itself_refuses_a_gap_an_overlap_and_a_second_running_span(house: House):
    deal = house.deal(house.ana)
    now = house.mesh.time
    days = {"before": -1, "now": 0, "later": 9, "much_later": 10}
    moments = {name: now + timedelta(days=count) for name, count in days.items()}
    values = {"d": deal["id"], "s": deal["stage_id"], **moments}
    insert = "insert into crm.deal_stage_history (id, deal_id, step, stage_id, state, entered_at, left_at) values "
    tries = {
        "a gap": "(gen_random_uuid(), :d, 2, :s, 'won', :later, :much_later)",
        "a hole in the numbers": "(gen_random_uuid(), :d, 3, :s, 'won', :now, :now)",
        "two running": "(gen_random_uuid(), :d, 2, :s, 'won', :now, null)",
        "backwards": "(gen_random_uuid(), :d, 2, :s, 'won', :now, :before)",
    }
    for row in tries.values():
        with pytest.raises(DBAPIError) as refused:
            house.sql(insert + row, **values)
        assert sqlstate(refused.value).startswith("23")


@pytest.mark.any_day
def test_conversion_and_time_per_stage_come_from_the_history(house: House):
    stages = house.stages()
    contact = house.contact(house.ana)["id"]
    moved, lost, still = (house.deal(house.ana, f"Negócio {n}", contact_id=contact) for n in range(3))
    house.wait(hours=10)
    move(house, house.ana, moved, stages["Qualificação"]).ok()
    house.call(house.ana, f"POST /api/v1/deals/{lost['id']}/lose", {"lost_reason_id": str(house.lost_reason())}).ok()
    house.wait(hours=20)
    report = house.get(house.ana, f"/api/v1/deals/stage-report?pipeline_id={house.pipeline()}")
    first = report["stages"][0]
    assert (first["entered"], first["advanced"], first["lost"], first["still_there"]) == (3, 1, 1, 1)
    assert (first["conversion_percent"], first["average_hours"]) == (50, (10 + 10 + 30) // 3)
    assert still["state"] == "open"
