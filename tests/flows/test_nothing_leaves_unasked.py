"""People decide on first contact: what was not approved, or not any more, does not leave."""

from tests.flows.office import Office


def test_a_text_changed_after_approval_asks_again(office: Office) -> None:
    office.search()
    office.campaign(office.leads(state="qualified")[:1])
    [message] = office.messages("awaiting_approval")
    path = f"/api/v1/outreach-messages/{message['id']}"
    office.approve(message)
    office.ask(f"PATCH {path}", {"text": message["text"].replace("15 minutos", "20 minutos")})
    office.settle()
    assert office.received() == []
    office.mesh.call(f"POST {path}/approve", {"text_hash": message["text_hash"]}, as_=office.helena).refused(409)
    office.approve()
    office.settle()
    [sent] = office.received()
    assert "20 minutos" in sent["text"]


def test_who_asks_to_stop_gets_nothing_more_on_any_channel(office: Office) -> None:
    office.search()
    leads = office.leads(state="qualified")
    office.campaign(leads)
    waiting = office.messages("awaiting_approval")
    lead = next(lead for lead in leads if lead["phone"] and lead["email"])
    [first] = [message for message in waiting if message["lead_id"] == lead["id"]]
    person = next(p for p in office.world.get("people") if lead["domain"] in str(p))
    office.world.post(f"people/{person['id']}", temperament="optout")
    office.approve(first)
    office.settle()

    assert office.leads(state="blocked")[0]["id"] == lead["id"] or lead["id"] in {
        blocked["id"] for blocked in office.leads(state="blocked")
    }
    got = len(office.received())
    again = {"lead_ids": [lead["id"]], "channel": "email", "sender_id": office.senders["email"]}
    answer = office.mesh.call("POST /api/v1/sdr/campaign", again, as_=office.helena)
    office.settle()
    assert answer.status < 500
    assert len(office.received()) == got
    assert all(m["lead_id"] != lead["id"] or m["channel"] == "whatsapp" for m in office.messages())
