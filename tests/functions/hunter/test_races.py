"""Steps and people at the same time: one lead per company, every counter right, one end."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from somos.mesh import clock, outbox
from somos.mesh.queues import QUEUES
from somos.modules.hunter.actions import credit_days
from tests.functions.hunter.conftest import FIT, Hunt

pytestmark = pytest.mark.committed


def drain_in_parallel(hunt: Hunt, workers: int = 4) -> None:
    """Deliver everything with several workers at once; what fails is tried again."""
    engine, routes = hunt.mesh.runtime.engine, hunt.mesh.runtime.routes
    with ThreadPoolExecutor(workers) as pool:
        while True:
            outbox.fan_out(engine, routes)
            claims = [claim for queue in QUEUES for claim in outbox.claim(engine, queue, 50)]
            if not claims:
                return
            for claim, answer in zip(claims, pool.map(hunt.mesh.deliver, claims), strict=True):
                if answer.status >= 300:
                    outbox.fail(engine, claim, answer.text)


def test_steps_that_run_in_parallel_give_the_same_leads_and_end_the_search_once(busy_hunt: Hunt):
    hunt = busy_hunt
    session = hunt.search(hunt.icp())
    drain_in_parallel(hunt)
    assert hunt.slugs("qualified") == FIT
    ended = hunt.session(session)
    assert ended["state"] == "completed"
    assert ended["settled"] == ended["found"] == hunt.mesh.one("select count(*) from hunter.leads")
    assert hunt.mesh.one("select count(*) from mesh.outbox where type = 'hunter.lead_settled'") == ended["found"]


def test_the_same_companies_taken_in_at_the_same_time_are_one_lead_each(busy_hunt: Hunt):
    hunt = busy_hunt
    icp = hunt.icp()
    rows = "\n".join(f"Empresa {n};(11) 95555-01{n};empresa{n}@gmail.com" for n in range(30, 42))
    text = f"Empresa;Celular;E-mail\n{rows}\n"
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: hunt.imported(icp, text), range(4)))
    assert {answer.status for answer in answers} <= {201, 409}
    drain_in_parallel(hunt)
    leads = [lead for lead in hunt.leads() if lead["state"] != "duplicate"]
    assert sorted(lead["phone"] for lead in leads) == [f"+55119555501{n}" for n in range(30, 42)]
    for answer in answers:
        if answer.status == 201:
            session = hunt.get(f"/api/v1/search-sessions/{answer.json['session_id']}")
            assert (session["state"], session["settled"]) == ("completed", session["found"])


def test_two_people_who_start_the_same_search_start_one(busy_hunt: Hunt):
    hunt = busy_hunt
    icp = hunt.icp()
    with ThreadPoolExecutor(4) as pool:
        tasks = list(pool.map(lambda _: hunt.post("/api/v1/hunter/search", {"icp_id": icp["id"]})["task_id"], range(4)))
    assert len(set(tasks)) == 1
    assert len(hunt.sessions(icp)) == 1


def test_searches_in_parallel_never_reserve_more_than_the_day_allows(busy_hunt: Hunt, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(credit_days, "CREDITS_PER_DAY", 3)
    hunt = busy_hunt
    for city in ("São Paulo", "Recife", "Curitiba", "Belo Horizonte"):
        hunt.search(hunt.icp(city, cities=[city], ufs=[]))
    drain_in_parallel(hunt)
    assert hunt.calls("serpapi") == 3
    assert hunt.mesh.one("select credits from hunter.credit_days where day = :d", d=clock.today()) == 3
