"""From an ideal customer to an open deal."""

from collections import Counter

from tests.flows.office import Office


def test_strangers_are_found_written_to_and_become_deals_once(office: Office) -> None:
    task = office.search(limit=40)
    assert task["state"] == "succeeded"
    leads = office.leads(sort="-score")
    assert len({lead["domain"] for lead in leads if lead["domain"]}) == len([ld for ld in leads if ld["domain"]])
    qualified = office.leads(state="qualified")
    assert len(qualified) >= 8
    assert all(lead["score"] >= 70 and lead["reason"] for lead in qualified)

    office.campaign(qualified[:7], "whatsapp")
    office.campaign(qualified[7:], "email")
    assert office.received() == []  # nothing leaves before a person says so
    office.approve()
    office.settle()

    sent = [message for message in office.messages() if message["sent_at"]]
    got = office.received()
    assert len(got) == len(sent)
    assert max(Counter(str(message["to"]) for message in got).values()) == 1

    interested = office.answers().get("interested", 0)
    deals = office.all("/api/v1/deals")
    assert interested >= 1
    assert len(deals) == interested
    assert len({deal["lead_id"] for deal in deals}) == len(deals)
    assert all(deal["company_id"] and deal["contact_id"] for deal in deals)
    converted = {lead["id"] for lead in office.leads(state="converted")}
    assert converted == {deal["lead_id"] for deal in deals}


def test_a_second_search_of_the_same_profile_adds_nothing_and_buys_nothing_twice(office: Office) -> None:
    office.search(limit=40)
    before = {lead["id"] for lead in office.leads()}
    calls = office.world.get("calls")["totals"]["serpapi"]
    office.search(limit=40)
    assert {lead["id"] for lead in office.leads()} == before
    assert office.world.get("calls")["totals"]["serpapi"] == calls


def test_a_deal_moves_and_each_sees_their_own(office: Office) -> None:
    office.search()
    office.campaign(office.leads(state="qualified"))
    office.approve()
    office.settle()
    deals = office.all("/api/v1/deals")
    office.ask(f"PATCH /api/v1/deals/{deals[0]['id']}", {"owner_id": str(office.bruno.id)})

    assert [deal["id"] for deal in office.all("/api/v1/deals", as_=office.bruno)] == [deals[0]["id"]]
    stages = office.all("/api/v1/deal-stages?sort=position")
    second = next(s for s in stages if s["pipeline_id"] == deals[0]["pipeline_id"] and s["position"] == 1)
    move = f"POST /api/v1/deals/{deals[0]['id']}/move"
    moved = office.ask(move, {"stage_id": second["id"]}, as_=office.bruno)
    assert moved["stage_id"] == second["id"]
    if len(deals) > 1:
        other = f"GET /api/v1/deals/{deals[1]['id']}"
        office.mesh.call(other, as_=office.bruno).refused(404)
