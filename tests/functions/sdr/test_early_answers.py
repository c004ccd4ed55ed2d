"""Providers report in any order: an answer may come before we know which message it answers."""

from typing import Any

from somos.ports.email import Email
from tests.functions.sdr.conftest import Desk
from tests.functions.sdr.test_crashes import dying, killed

OTHER_BOX = "contato@horizonte-exemplo.com.br"
YES = "Oi! Tenho interesse, sim. Podemos conversar na quinta-feira?"


def answered(desk: Desk, said: str) -> Any:
    """Ana answers our last mail from her own box; nobody has told us of it yet."""
    desk.outside.post("people/horizonte/say", channel="email", text=said)
    return desk.outside.get("inbound")[-1]["extra"]


def hear(desk: Desk, mail: Any) -> None:
    named = {key: mail[key] for key in ("email_id", "message_id", "from", "to", "subject")}
    assert desk.resend("email.received", named).status == 200
    desk.only("inbox.", "sdr.reply_stored")


def learn_that_it_left(desk: Desk, mail: Any) -> None:
    """Only the provider's reports hold the id by which an answer names our mail."""
    told = {"email_id": desk.left("email")[-1]["id"], "message_id": mail["headers"]["in-reply-to"]}
    assert desk.resend("email.sent", told).status == 200
    desk.only("inbox.")


def test_an_answer_finds_its_message_once_its_id_is_known(desk: Desk):
    lead = desk.lead(email=OTHER_BOX)
    message = desk.sent(lead, channel="email")
    mail = answered(desk, YES)
    hear(desk, mail)
    assert desk.one("select state from sdr.responses") == "unmatched"
    learn_that_it_left(desk, mail)
    desk.mesh.drain()
    heard = desk.get("responses")["items"][0]
    assert (heard["lead_id"], heard["message_id"]) == (lead, message["id"])
    assert (heard["label"], heard["state"]) == ("interested", "handled")
    assert [deal["lead_id"] for deal in desk.get("deals")["items"]] == [lead]


def test_what_was_reported_before_the_send_was_written_down_is_not_forgotten(desk: Desk):
    dying(desk, Email, "after")
    lead = desk.lead(email=OTHER_BOX)
    message = desk.approved(lead, channel="email")
    killed(desk)
    mail = answered(desk, YES)
    learn_that_it_left(desk, mail)
    hear(desk, mail)
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"
    heard = desk.get("responses")["items"][0]
    assert (heard["message_id"], heard["label"], heard["state"]) == (message["id"], "interested", "handled")
    assert len(desk.get("deals")["items"]) == 1
    assert len(desk.left("email")) == 1


def test_an_opt_out_reaches_every_address_of_the_person_once_it_is_known_who_wrote_it(desk: Desk):
    lead = desk.lead(email=OTHER_BOX)
    desk.sent(lead, channel="email")
    mail = answered(desk, "parar")
    hear(desk, mail)
    assert len(desk.get("suppressions")["items"]) == 1
    learn_that_it_left(desk, mail)
    desk.mesh.drain()
    assert len(desk.get("suppressions")["items"]) == 3
    assert desk.one("select state from hunter.leads") == "blocked"


def test_a_report_that_comes_twice_changes_an_answer_once(desk: Desk):
    desk.sent(desk.lead(email=OTHER_BOX), channel="email")
    mail = answered(desk, YES)
    hear(desk, mail)
    for _ in range(2):
        learn_that_it_left(desk, mail)
        desk.mesh.drain()
    assert desk.events("lead_accepted") == 1
    assert desk.events("reply_classified") == 1
