"""A lead that was erased: nothing of what was said stays, and nobody writes to the person again."""

from datetime import date, time, timedelta
from typing import Any

import pytest

from functions.sdr import on_reply_stored
from somos.mesh import clock
from somos.modules.sdr.actions.model_answers import ask_model
from tests.functions.sdr.conftest import ANA_EMAIL, ANA_PHONE, Desk

YES = "Oi! Tenho interesse, sim. Podemos conversar na quinta-feira?"
TABLES = (
    "approvals", "campaign_leads", "enrolments", "hidden_numbers", "message_receipts", "outreach_messages",
    "phone_messages", "reconsents", "responses", "suppressions",
)  # fmt: skip


@pytest.fixture(params=[False, True], ids=["once", "twice"])
def twice(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def erase(desk: Desk, lead: str, drain: bool = True) -> None:
    desk.post(f"leads/{lead}/erase", {"reason": "Pedido do titular"})
    if drain:
        desk.mesh.drain()


def purge(desk: Desk, day: date) -> None:
    """Let the timer of the small hours fire on this day."""
    desk.mesh.at(time(4, 20), day)
    desk.mesh.tick()
    desk.mesh.drain()


def kept(desk: Desk) -> str:
    """All that outreach still holds, and what its audit trail says of it."""
    rows = [row["row"] for table in TABLES for row in desk.mesh.rows(f"select t::text as row from sdr.{table} t")]
    trail = desk.mesh.rows("select changes::text as row from mesh.audit where table_name like 'sdr.%'")
    return "\n".join([*rows, *(row["row"] for row in trail)])


def heard(desk: Desk) -> Any:
    return desk.get("responses")["items"][0]


def test_what_was_written_and_answered_is_blank_and_that_it_was_stays(desk: Desk):
    lead = desk.lead()
    message = desk.sent(lead)
    desk.mesh.advance(days=2)
    mail = desk.sent(lead, channel="email")
    desk.hears("Quanto custa um vídeo de dois minutos?")
    erase(desk, lead)
    gone = [ANA_PHONE, ANA_PHONE[3:], ANA_EMAIL, "Quanto custa", "Ana", "Horizonte", message["text"], mail["subject"]]
    assert [word for word in gone if word in kept(desk)] == []
    for id in (message["id"], mail["id"]):
        after = desk.message(id)
        assert (after["state"], after["text"], after["to_address"], after["evidence"]) == ("sent", "", "", [])
        assert after["erased_at"] is not None
    answer = heard(desk)
    assert (answer["label"], answer["lead_id"], answer["text"], answer["from_address"]) == ("question", lead, "", "")
    report = desk.get(f"outreach-campaigns/{mail['campaign_id']}")["report"]
    assert (report["sent"], report["answered"]) == (1, 1)


def test_nobody_writes_to_the_person_again(desk: Desk):
    lead = desk.lead()
    desk.sent(lead)
    erase(desk, lead)
    listed = {(one["kind"], one["source"], one["reach"]) for one in desk.get("suppressions")["items"]}
    assert listed == {("phone", "erasure", "person"), ("email", "erasure", "person")}
    assert desk.campaign_refuses(desk.lead())
    desk.call(f"POST /api/v1/conversations/{lead}/reply", {"text": "Oi de novo"}).refused(403)


def test_a_person_nobody_wrote_to_is_suppressed_by_what_the_hunter_knew(desk: Desk):
    lead = desk.lead(phone=None, email=None)
    desk.call(f"PATCH /api/v1/leads/{lead}", {"phone": ANA_PHONE}).ok()
    erase(desk, lead)
    assert [one["kind"] for one in desk.get("suppressions")["items"]] == ["phone"]
    assert desk.campaign_refuses(desk.lead())


def test_what_waits_for_a_person_or_in_the_queue_never_leaves(desk: Desk):
    lead = desk.lead()
    waiting = desk.draft(lead)
    other = desk.lead(phone="+5511955550102", email=None)
    approved = desk.approved(other)
    for one in (lead, other):
        erase(desk, one, drain=False)
    desk.only("hunter.")
    desk.mesh.drain()
    for message in (waiting, approved):
        after = desk.message(message["id"])
        assert (after["state"], after["text"]) == ("cancelled", "")
        assert desk.enrolment(message)["state"].startswith("stopped")
    assert {one["state"] for one in desk.get("approvals")["items"]} == {"withdrawn", "approved"}
    assert desk.left() == []


def test_an_answer_that_arrives_after_the_erasure_is_not_kept(desk: Desk):
    lead = desk.lead()
    desk.sent(lead)
    desk.hears(YES, drain=False)
    erase(desk, lead, drain=False)
    desk.only("hunter.")
    desk.mesh.drain()
    answer = heard(desk)
    assert (answer["state"], answer["label"], answer["text"], answer["lead_id"]) == ("handled", None, "", lead)
    assert "interesse" not in kept(desk)
    assert desk.get("deals")["items"] == []
    desk.call(f"POST /api/v1/responses/{answer['id']}/classify", {"label": "interested"}).refused(
        409, "response-erased"
    )


def test_an_answer_that_the_model_reads_meanwhile_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    lead = desk.lead()
    desk.sent(lead)

    def slow(*asked: Any) -> Any:
        answer = ask_model(*asked)
        if desk.get(f"leads/{lead}")["state"] != "erased":
            erase(desk, lead, drain=False)
        desk.mesh.drain(only=lambda claim: claim.type == "hunter.lead_erased")
        return answer

    monkeypatch.setattr(on_reply_stored, "ask_model", slow)
    desk.hears(YES)
    assert (heard(desk)["state"], heard(desk)["label"], heard(desk)["quote"]) == ("handled", None, None)
    assert "interesse" not in kept(desk)
    assert desk.get("deals")["items"] == []


def test_a_lead_erased_after_its_yes_opens_no_deal(desk: Desk):
    lead = desk.lead()
    desk.sent(lead)
    desk.hears(YES, drain=False)
    desk.only("inbox.", "sdr.reply")
    assert desk.events("lead_accepted") == 1
    erase(desk, lead)
    assert desk.get("deals")["items"] == []


def test_who_was_erased_and_writes_anew_is_nobody_we_know(desk: Desk):
    lead = desk.lead()
    desk.sent(lead)
    erase(desk, lead)
    desk.mesh.advance(days=1)
    desk.hears(YES)
    answer = heard(desk)
    assert (answer["state"], answer["lead_id"], answer["text"]) == ("unmatched", None, YES)
    said = {"label": "interested", "lead_id": lead}
    desk.call(f"POST /api/v1/responses/{answer['id']}/classify", said).refused(422, "invalid")


@pytest.mark.any_day
def test_what_was_drafted_for_a_lead_goes_with_it_when_its_time_is_over(desk: Desk):
    last = clock.today() + timedelta(days=7)
    lead = desk.lead(retain_until=last)
    message = desk.draft(lead)
    purge(desk, last + timedelta(days=1))
    after = desk.message(message["id"])
    assert (after["state"], after["text"], after["to_address"]) == ("cancelled", "", "")
    assert desk.get("suppressions")["items"] == []


@pytest.mark.parametrize(("why", "left"), [("request", ""), ("retention", "Vocês filmam eventos?")])
def test_what_a_stranger_wrote_goes_when_they_ask_and_not_with_a_lead_nobody_used(desk: Desk, why: str, left: str):
    last = clock.today() + timedelta(days=7)
    lead = desk.lead(phone=None, email=None, retain_until=last)
    desk.call(f"PATCH /api/v1/leads/{lead}", {"phone": ANA_PHONE}).ok()
    desk.hears("Vocês filmam eventos?")
    if why == "request":
        erase(desk, lead)
    else:
        purge(desk, last + timedelta(days=1))
    assert heard(desk)["text"] == left
