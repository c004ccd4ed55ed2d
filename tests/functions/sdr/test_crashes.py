"""A process that dies at any step of a send: nothing leaves twice, and nothing is lost silently."""

from typing import Any

import pytest

from somos.ports.email import Email
from somos.ports.whatsapp import Whatsapp
from tests.functions.sdr.conftest import Desk
from tests.functions.sdr.crashing import Killed, dying, killed


@pytest.fixture(autouse=True)
def wiring_of_its_own(desk: Desk):
    """Ports that this test broke are forgotten with its runtime."""
    yield
    desk.mesh.runtime.wiring._built.clear()


@pytest.mark.parametrize("when", ["before", "after"])
def test_whatsapp_is_never_sent_again_by_itself(desk: Desk, when: str):
    port = dying(desk, Whatsapp, when)
    message = desk.approved()
    killed(desk)
    assert desk.message(message["id"])["state"] == "sending"
    desk.mesh.advance(minutes=10)
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "unknown"
    desk.mesh.advance(hours=5)
    desk.mesh.drain()
    assert port.calls == 1
    assert len(desk.left()) == (1 if when == "after" else 0)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_email_is_asked_for_again_under_its_key_and_leaves_once(desk: Desk, when: str):
    dying(desk, Email, when)
    message = desk.approved(channel="email")
    killed(desk)
    desk.mesh.advance(minutes=10)
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"
    assert len(desk.left("email")) == 1
    assert desk.events("message_sent") == 1


def test_an_email_that_may_have_left_is_not_asked_for_again_after_an_opt_out(desk: Desk):
    """Asking again could send it now; only a person can tell."""
    dying(desk, Email, "before")
    message = desk.approved(channel="email")
    killed(desk)
    desk.hears("parar", drain=False)
    desk.only("inbox.")
    desk.mesh.advance(minutes=10)
    desk.mesh.drain()
    assert desk.left("email") == []
    assert desk.message(message["id"])["state"] == "unknown"


@pytest.mark.parametrize(("protocol", "channel"), [(Whatsapp, "whatsapp"), (Email, "email")])
def test_dying_after_the_answer_was_kept_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, protocol: type, channel: str
):
    import functions.sdr.on_message_claimed as function

    port = dying(desk, protocol, "")
    real, deaths = function.settle_outcome, iter([True])

    def die_once(*arguments: Any) -> None:
        if next(deaths, False):
            raise Killed
        real(*arguments)

    monkeypatch.setattr(function, "settle_outcome", die_once)
    message = desk.approved(channel=channel)
    killed(desk)
    desk.mesh.advance(minutes=10)
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"
    assert port.calls == 1
    assert len(desk.left()) == 1


def test_an_opt_out_while_the_answer_waits_to_be_written_down_leaves_the_truth(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    """It had left before the opt-out: the message says so, and is not called cancelled."""
    import functions.sdr.on_message_claimed as function

    real, deaths = function.settle_outcome, iter([True])

    def die_once(*arguments: Any) -> None:
        if next(deaths, False):
            raise Killed
        real(*arguments)

    monkeypatch.setattr(function, "settle_outcome", die_once)
    message = desk.approved()
    killed(desk)
    desk.hears("parar", drain=False)
    desk.only("inbox.")
    desk.mesh.advance(minutes=10)
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"
    assert len(desk.left()) == 1


def test_a_claim_whose_step_is_not_to_be_found_waits_for_a_person(desk: Desk):
    message = desk.approved()
    desk.only("sdr.message_approved")
    desk.sql("delete from mesh.deliveries where type = 'sdr.message_claimed'")
    desk.sql("delete from mesh.outbox where type = 'sdr.message_claimed'")
    assert desk.message(message["id"])["state"] == "sending"
    desk.mesh.advance(hours=2)
    desk.every_minutes(10)
    assert desk.message(message["id"])["state"] == "unknown"


def test_an_old_claim_replayed_after_a_new_one_sends_nothing(desk: Desk):
    dying(desk, Whatsapp, "before")
    message = desk.approved()
    killed(desk)
    desk.sql("update mesh.deliveries set state = 'dead' where type = 'sdr.message_claimed'")
    desk.mesh.advance(hours=2)
    desk.every_minutes(10)
    desk.post(f"outreach-messages/{message['id']}/settle", {"outcome": "not_sent", "again": True})
    desk.only("sdr.message_approved")
    desk.sql("update mesh.deliveries set state = 'due', attempts = 0 where state = 'dead'")
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"
    assert len(desk.left()) == 1
