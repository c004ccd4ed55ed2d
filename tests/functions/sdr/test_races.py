"""Opt-outs, replies, caps and workers at the same time: real threads, real commits."""

import threading
from collections import Counter
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from somos.events.sdr import MessageApproved
from tests.functions.sdr.conftest import JID, Desk
from tests.functions.sdr.ports import Door, watch

pytestmark = pytest.mark.committed


def leads(desk: Desk, count: int) -> list[str]:
    return [desk.lead(phone=f"+55119777{n:05d}", email=None) for n in range(1, count + 1)]


def jid(number: int) -> str:
    return f"55119777{number:05d}@s.whatsapp.net"


def approved(desk: Desk, *people: str) -> list[Any]:
    """Messages to these people, approved in one campaign."""
    campaign = desk.campaign(*people)
    return [desk.approve(message) for message in desk.messages(campaign_id=campaign, limit=200)]


def test_one_message_leaves_once_with_eight_workers_at_each_of_its_deliveries(busy_desk: Desk):
    desk = busy_desk
    message = desk.approved()
    desk.mesh.state(*[MessageApproved(message_id=message["id"]) for _ in range(4)])
    for _ in range(3):
        statuses = desk.deliver_together(desk.due(), times=4)
        assert set(statuses) == {204}
    desk.mesh.drain()
    assert len(desk.left()) == 1
    assert desk.message(message["id"])["state"] == "sent"
    assert desk.events("message_sent") == 1


def test_a_daily_cap_holds_with_parallel_workers(busy_desk: Desk):
    desk = busy_desk
    desk.change_sender("whatsapp", daily_cap=5)
    approved(desk, *leads(desk, 16))
    desk.deliver_together(desk.due())
    desk.deliver_together(desk.due())
    desk.mesh.drain()
    assert len(desk.left()) == 5


def test_the_cap_of_a_person_holds_across_campaigns_channels_and_workers(busy_desk: Desk):
    desk = busy_desk
    lead, drafts = desk.lead(), []
    for number in range(6):
        drafts.append(desk.draft(lead, channel="email" if number % 2 else "whatsapp"))
        # A second cadence of one person is refused before; here it is let through to try the last wall.
        desk.sql("update sdr.enrolments set state = 'finished'")
    for draft in drafts:
        desk.approve(draft)
    desk.deliver_together(desk.due())
    desk.deliver_together(desk.due())
    desk.mesh.drain()
    assert len(desk.left()) == 2


def test_two_campaigns_at_once_enrol_a_person_once(busy_desk: Desk):
    desk = busy_desk
    lead = desk.lead()
    start = {"lead_ids": [lead], "channel": "whatsapp"}
    desk.together([lambda: desk.post("sdr/campaign", start) for _ in range(6)])
    desk.deliver_together(desk.due())
    assert desk.one("select count(*) from sdr.enrolments") == 1


def test_an_opt_out_waits_for_the_call_that_is_out_and_nothing_leaves_after_it(busy_desk: Desk):
    desk = busy_desk
    first = desk.approved()
    door = Door()
    watch(desk, door)
    desk.only("sdr.message_approved")
    claimed = desk.due("sdr.message_claimed")
    sending = threading.Thread(target=desk.deliver_together, args=(claimed,))
    sending.start()
    assert door.reached.wait(timeout=20)

    desk.hears("parar", drain=False)
    silenced = threading.Thread(target=desk.deliver_together, args=(desk.due("inbox."),))
    silenced.start()
    silenced.join(timeout=0.5)
    assert silenced.is_alive(), "the opt-out must wait for the call that is out"
    assert desk.one("select count(*) from sdr.suppressions") == 0

    door.open()
    sending.join(timeout=20)
    silenced.join(timeout=20)
    assert desk.one("select count(*) from sdr.suppressions") == 2
    assert desk.message(first["id"])["state"] == "sent"
    assert len(desk.left()) == 1
    assert desk.campaign_refuses(desk.lead())


def test_an_opt_out_between_claim_and_call_keeps_the_message_from_leaving(busy_desk: Desk):
    desk = busy_desk
    message = desk.approved()
    desk.only("sdr.message_approved")
    claimed = desk.due("sdr.message_claimed")
    assert desk.message(message["id"])["state"] == "sending"
    desk.hears("parar", drain=False)
    desk.deliver_together(desk.due("inbox."))
    desk.deliver_together(claimed)
    assert desk.left() == []
    assert desk.message(message["id"])["state"] == "cancelled"


def test_a_reply_between_claim_and_call_keeps_the_message_from_leaving(busy_desk: Desk):
    desk = busy_desk
    lead = desk.lead()
    desk.sent(lead, channel="email")
    message = desk.approved(lead)
    desk.only("sdr.message_approved")
    claimed = desk.due("sdr.message_claimed")
    desk.mailed("horizonte", "Agradeço, mas não temos interesse.", drain=False)
    desk.only("inbox.")
    desk.deliver_together(claimed)
    desk.mesh.drain()
    assert desk.left("whatsapp") == []
    assert desk.message(message["id"])["state"] in ("cancelled", "queued")


@pytest.mark.parametrize("seed", range(2))
def test_no_call_begins_after_the_commit_of_an_opt_out(busy_desk: Desk, seed: int):
    """Every send looks, in the instant before it leaves, whether its person's opt-out is committed already."""
    desk = busy_desk
    people = 10
    approved(desk, *leads(desk, people))
    late: list[str] = []

    def look(receiver: str) -> None:
        with desk.mesh.runtime.engine.connect() as connection:
            found = connection.execute(
                text(
                    "select count(*) from sdr.suppressions s join sdr.outreach_messages m on m.phone_key = s.key "
                    "where m.to_address = :to"
                ),
                {"to": "+" + receiver.split("@")[0]},
            )
            if found.scalar_one():
                late.append(receiver)

    watch(desk, look)
    random = Random(seed)
    for turn in range(4):
        for number in range(1, people + 1):
            if number % 3 == turn:
                desk.hears("parar", jid=jid(number), drain=False)
        claims = desk.due()
        random.shuffle(claims)
        desk.deliver_together(claims)
    desk.mesh.drain()
    assert late == []
    assert desk.one("select count(*) from sdr.suppressions") == people
    states = Counter(message["state"] for message in desk.messages(limit=200))
    assert states.total() == states["sent"] + states["cancelled"] == people
    assert len(desk.left()) == states["sent"]


def test_the_public_link_is_as_final_as_a_word(busy_desk: Desk):
    desk = busy_desk
    lead = desk.lead()
    mail = desk.sent(lead, channel="email")
    message = desk.approved(lead)
    desk.only("sdr.message_approved")
    claimed = desk.due("sdr.message_claimed")
    link = mail["text"][mail["text"].index("/api/v1/unsubscribe/") :].split()[0]
    answers = desk.together([lambda: desk.mesh.call(f"POST {link}") for _ in range(6)])
    assert {answer.status for answer in answers} == {200}
    desk.deliver_together(claimed)
    assert desk.left("whatsapp") == []
    assert desk.message(message["id"])["state"] == "cancelled"
    assert desk.events("person_suppressed") == 2


def test_a_webhook_ten_times_in_parallel_has_the_effect_of_one(busy_desk: Desk):
    desk = busy_desk
    desk.sent()
    desk.together([lambda: desk.hears("Tenho interesse sim", id="IN1", drain=False) for _ in range(10)], hands=10)
    for _ in range(4):
        desk.deliver_together(desk.due(), times=3)
    desk.mesh.drain()
    assert len(desk.get("responses")["items"]) == 1
    assert desk.events("reply_stored") == 1
    assert desk.events("lead_accepted") == 1
    assert len(desk.get("deals")["items"]) == 1


def test_receipts_in_parallel_and_reverse_end_as_read(busy_desk: Desk):
    desk = busy_desk
    message = desk.sent()
    id = desk.left()[0]["id"]
    for status in ("READ", "DELIVERY_ACK", "SERVER_ACK"):
        desk.evolution("messages.update", {"keyId": id, "fromMe": True, "status": status})
    desk.deliver_together(desk.due(), times=4)
    assert desk.message(message["id"])["state"] == "read"


def test_two_people_deciding_at_once_make_one_decision(busy_desk: Desk):
    desk = busy_desk
    message = desk.draft()
    yes = {"text_hash": message["text_hash"]}
    path = f"POST /api/v1/outreach-messages/{message['id']}"
    answers = desk.together(
        [lambda: desk.call(f"{path}/approve", yes) for _ in range(4)]
        + [lambda: desk.call(f"{path}/reject", {"reason": "não é a hora"}) for _ in range(4)]
    )
    assert {answer.status for answer in answers} <= {200, 409}
    decided = desk.one("select state from sdr.approvals")
    desk.mesh.drain()
    assert len(desk.left()) == (1 if decided == "approved" else 0)


def test_an_edit_and_an_approval_at_once_never_send_what_was_not_approved(busy_desk: Desk):
    desk = busy_desk
    for _ in range(5):
        number = desk.one("select count(*) from hunter.leads") + 1
        message = desk.draft(leads(desk, number)[-1])
        path = f"/api/v1/outreach-messages/{message['id']}"
        desk.together(
            [
                lambda p=path, m=message: desk.call(f"POST {p}/approve", {"text_hash": m["text_hash"]}),
                lambda p=path, m=message: desk.call(f"PATCH {p}", {"text": m["text"] + " Abraço."}),
            ]
        )
        desk.deliver_together(desk.due())
        desk.mesh.drain()
        after = desk.message(message["id"])
        left = [m["text"] for m in desk.left() if m["to"].endswith(message["to_address"][-8:] + "@s.whatsapp.net")]
        assert left in ([], [message["text"]])
        assert after["state"] in ("sent", "awaiting_approval")


def test_a_stranger_may_write_while_we_send_to_somebody_else(busy_desk: Desk):
    """The lock is of one person, not of the house."""
    desk = busy_desk
    desk.approved()
    door = Door()
    watch(desk, door)
    desk.only("sdr.message_approved")
    claimed = desk.due("sdr.message_claimed")
    sending = threading.Thread(target=desk.deliver_together, args=(claimed,))
    sending.start()
    assert door.reached.wait(timeout=20)
    desk.hears("parar", jid="5511955559999@s.whatsapp.net", drain=False)
    desk.deliver_together(desk.due("inbox."))
    assert desk.one("select count(*) from sdr.suppressions") == 1
    door.open()
    sending.join(timeout=20)
    assert [m["to"] for m in desk.left()] == [JID]
