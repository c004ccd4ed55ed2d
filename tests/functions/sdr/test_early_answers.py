"""Providers report in any order: an answer may come before we know which message it answers."""

from threading import Thread
from typing import Any

import pytest

from somos.local.processes import wait_for
from somos.modules.sdr.actions.provider_reports import report_receipt
from somos.ports.email import Email
from somos.ports.sent import Sent
from tests.functions.sdr.conftest import Desk
from tests.functions.sdr.crashing import dying, killed

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


@pytest.mark.committed
def test_a_receipt_that_comes_in_the_very_moment_the_send_is_written_down_is_not_lost(busy_desk: Desk):
    desk = busy_desk
    message = desk.approved(desk.lead(email=OTHER_BOX), channel="email")
    desk.only("sdr.message_approved")
    dying(desk, Email, "").send = lambda **_: Sent(provider_id="em-1")  # type: ignore[method-assign]
    writing = Thread(target=desk.deliver_together, args=(desk.due("sdr.message_claimed"),))

    def it_waits_or_is_over() -> bool:
        return not writing.is_alive() or desk.one("select count(*) from pg_locks where not granted") > 0

    ctx = desk.mesh.context()
    report_receipt(ctx, "email", "em-1", "delivered", desk.mesh.time, rfc_id="<id@mail>")
    writing.start()
    assert wait_for(it_waits_or_is_over, 20)
    ctx.commit()
    writing.join()
    assert desk.message(message["id"])["state"] == "delivered"
    assert desk.one("select rfc_id from sdr.outreach_messages") == "<id@mail>"
