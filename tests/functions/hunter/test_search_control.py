"""A search is held, continued, stopped, capped and helped, and never pays twice."""

from datetime import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from somos.modules.hunter.actions import credit_days
from tests.functions.hunter.conftest import Hunt


def one_company(hunt: Hunt):
    """A profile that one company of the world answers to: one site, one verdict."""
    return hunt.icp("Metalúrgicas", segments=["indústria metalúrgica"], cnaes=["25"])


def test_asking_while_a_search_runs_joins_it(hunt: Hunt):
    icp = one_company(hunt)
    first = hunt.post("/api/v1/hunter/search", {"icp_id": icp["id"]})
    assert hunt.post("/api/v1/hunter/search", {"icp_id": icp["id"]}) == first
    assert len(hunt.sessions(icp)) == 1


def test_searching_again_reads_no_page_again_and_finds_no_lead_again(hunt: Hunt):
    icp = one_company(hunt)
    assert hunt.searched(icp)["found"] == 1
    paid = hunt.calls("serpapi")
    again = hunt.searched(icp)
    assert (again["state"], again["found"], again["credits"]) == ("completed", 0, 0)
    assert hunt.calls("serpapi") == paid
    assert len(hunt.leads()) == 1


def test_a_new_version_of_the_profile_reads_afresh_and_makes_no_second_lead(hunt: Hunt):
    icp = one_company(hunt)
    hunt.searched(icp)
    changed = {"criteria": {**icp["criteria"], "employees_min": 300}}
    hunt.call(hunt.diretora, f"PATCH /api/v1/icp-profiles/{icp['id']}", changed).ok()
    again = hunt.searched(icp)
    assert (again["icp_number"], again["found"]) == (2, 0)
    assert again["repeated"] >= 1
    assert len(hunt.leads()) == 1


def test_results_beyond_the_limit_are_kept_and_the_next_search_takes_them_without_paying(hunt: Hunt):
    icp = hunt.icp(cnaes=[])
    session = hunt.search(icp, limit=2, sources=["web"])
    hunt.run("hunter-on-search-facts", "hunter-on-source-wanted")
    assert hunt.session(session)["found"] == 2
    hunt.call(hunt.diretora, f"POST /api/v1/search-sessions/{session['id']}/cancel").ok()
    paid = hunt.calls("serpapi")
    following = hunt.search(icp, limit=5, sources=["web"])
    hunt.run("hunter-on-search-facts", "hunter-on-source-wanted")
    assert hunt.session(following)["found"] == 5
    assert hunt.calls("serpapi") == paid
    assert len(hunt.leads()) == 5


def test_what_a_cancelled_search_left_half_done_the_next_one_finishes(hunt: Hunt):
    icp = one_company(hunt)
    session = hunt.search(icp)
    hunt.run("hunter-on-search-facts", "hunter-on-source-wanted")
    assert [lead["state"] for lead in hunt.leads()] == ["discovered"]
    hunt.call(hunt.diretora, f"POST /api/v1/search-sessions/{session['id']}/cancel").ok()
    hunt.mesh.drain()
    assert [lead["state"] for lead in hunt.leads()] == ["discovered"]
    following = hunt.searched(icp)
    assert (following["state"], following["found"], following["settled"]) == ("completed", 1, 1)
    assert hunt.leads()[0]["state"] in ("qualified", "rejected_campaign")


def test_cancelling_starts_no_new_outside_call_and_is_final(hunt: Hunt):
    icp = one_company(hunt)
    session = hunt.search(icp)
    cancelled = hunt.post(f"/api/v1/search-sessions/{session['id']}/cancel")
    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", "por Dora")
    hunt.mesh.drain()
    assert hunt.calls("serpapi") == 0
    task = hunt.get(f"/api/v1/agents/tasks/{session['task_id']}")
    assert task["state"] == "cancelled"
    for what in ("cancel", "pause", "resume"):
        path = f"POST /api/v1/search-sessions/{session['id']}/{what}"
        assert hunt.call(hunt.diretora, path, {}).refused(409, "search-state")["fresh"]["state"] == "cancelled"


@pytest.mark.parametrize("after", ["hunter-on-search-facts", "hunter-on-source-wanted", "hunter-on-lead-found"])
def test_a_search_held_at_any_step_asks_nobody_and_goes_on_from_there(hunt: Hunt, after: str):
    session = hunt.search(one_company(hunt))
    steps = ["hunter-on-search-facts", "hunter-on-source-wanted", "hunter-on-lead-found"]
    before = steps[: steps.index(after) + 1]
    hunt.run(*before)
    assert hunt.post(f"/api/v1/search-sessions/{session['id']}/pause")["state"] == "paused"
    asked = [hunt.calls(provider) for provider in ("serpapi", "sites", "cnpj", "openai")]
    hunt.mesh.drain()
    assert [hunt.calls(provider) for provider in ("serpapi", "sites", "cnpj", "openai")] == asked
    assert hunt.session(session)["state"] == "paused"
    hunt.post(f"/api/v1/search-sessions/{session['id']}/resume")
    hunt.mesh.drain()
    ended = hunt.session(session)
    assert (ended["state"], ended["found"], ended["settled"]) == ("completed", 1, 1)


def test_a_search_stops_at_its_own_cap_and_goes_on_when_it_is_raised(hunt: Hunt):
    session = hunt.searched(one_company(hunt), credits_cap=1)
    assert (session["state"], session["reason"], session["credits"]) == ("paused", "session-cap", 1)
    hunt.post(f"/api/v1/search-sessions/{session['id']}/resume", {"credits_cap": 10})
    hunt.mesh.drain()
    assert hunt.session(session)["state"] == "completed"


@pytest.mark.any_day
def test_all_searches_together_stop_at_the_days_cap_and_go_on_the_next_day(hunt: Hunt, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(credit_days, "CREDITS_PER_DAY", 1)
    hunt.mesh.at(time(10))
    session = hunt.searched(one_company(hunt))
    assert (session["state"], session["reason"]) == ("paused", "day-cap")
    assert session["credits_today"] == 1
    hunt.mesh.advance(hours=2)
    hunt.mesh.tick()
    hunt.mesh.drain()
    assert hunt.session(session)["state"] == "paused"
    hunt.mesh.advance(days=1)
    hunt.mesh.tick()
    hunt.mesh.drain()
    assert hunt.session(session)["state"] == "completed"
    assert hunt.calls("serpapi") == 2


def test_a_source_without_credits_holds_the_search_and_nothing_is_counted_as_paid(hunt: Hunt):
    hunt.world.post("settings", searches_left=0)
    session = hunt.searched(one_company(hunt))
    assert (session["state"], session["reason"], session["credits"]) == ("paused", "source-quota", 0)
    assert session["credits_today"] == 0
    hunt.world.post("settings", searches_left=50)
    hunt.post(f"/api/v1/search-sessions/{session['id']}/resume")
    hunt.mesh.drain()
    assert hunt.session(session)["state"] == "completed"


def test_a_source_that_fails_for_a_while_is_asked_again_and_nothing_is_lost(hunt: Hunt):
    hunt.world.post("faults", provider="serpapi", kind="status", status=503, times=4)
    session = hunt.search(one_company(hunt))
    hunt.outlast()
    ended = hunt.session(session)
    assert (ended["state"], ended["found"]) == ("completed", 1)


def test_a_model_that_fails_for_a_while_is_asked_again_and_the_lead_is_judged_once(hunt: Hunt):
    hunt.world.post("faults", provider="openai", kind="status", status=503, times=4)
    hunt.search(one_company(hunt))
    hunt.outlast()
    lead = hunt.lead("bandeirante")
    assert lead["score"] is not None
    assert hunt.mesh.one("select count(*) from hunter.lead_scores") == 1


@pytest.mark.any_day
def test_a_search_that_stands_still_is_nudged_and_then_given_up(hunt: Hunt):
    session = hunt.search(one_company(hunt))
    hunt.run("hunter-on-search-facts", "hunter-on-source-wanted")
    # The step that would enrich the lead is lost for good, each time it is stated again.
    for _ in range(4):
        with hunt.mesh.db() as db:
            db.execute(text("update mesh.deliveries set state = 'dead' where function = 'hunter-on-lead-found'"))
        hunt.mesh.advance(minutes=35)
        hunt.mesh.tick()
        hunt.run("hunter-every-searches-resume")
    ended = hunt.session(session)
    assert (ended["state"], ended["reason"]) == ("failed", "1 leads ficaram sem resposta das fontes.")
    assert hunt.get(f"/api/v1/agents/tasks/{session['task_id']}")["state"] == "failed"
    assert [lead["state"] for lead in hunt.leads()] == ["discovered"]


def test_a_lead_whose_step_was_lost_is_found_again_by_the_timer(hunt: Hunt):
    session = hunt.search(one_company(hunt))
    hunt.run("hunter-on-search-facts", "hunter-on-source-wanted")
    with hunt.mesh.db() as db:
        db.execute(text("update mesh.deliveries set state = 'dead' where function = 'hunter-on-lead-found'"))
    hunt.mesh.advance(minutes=35)
    hunt.mesh.tick()
    hunt.mesh.drain()
    assert hunt.session(session)["state"] == "completed"


def test_the_database_itself_lets_no_counter_go_down(hunt: Hunt):
    hunt.search(one_company(hunt))
    with hunt.mesh.db() as db:
        db.execute(text("update hunter.search_sessions set found = 3"))
    with pytest.raises(DBAPIError, match="never go down"), hunt.mesh.db() as db:
        db.execute(text("update hunter.search_sessions set found = 2"))


def test_an_archived_profile_starts_no_search_and_one_being_searched_is_not_archived(hunt: Hunt):
    icp = one_company(hunt)
    hunt.search(icp)
    hunt.call(hunt.diretora, f"DELETE /api/v1/icp-profiles/{icp['id']}").refused(409, "search-live")
    hunt.mesh.drain()
    assert hunt.call(hunt.diretora, f"DELETE /api/v1/icp-profiles/{icp['id']}").status == 204
    hunt.call(hunt.diretora, "POST /api/v1/hunter/search", {"icp_id": icp["id"]}).refused(409, "icp-archived")
