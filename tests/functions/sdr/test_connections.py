"""Connections that come and go, messages that were taken and never confirmed, and lists with poison in them."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from somos.mesh.notifier import Notifier
from somos.ports.whatsapp import ChatMessage, ChatPage, Whatsapp
from tests.functions.sdr.conftest import ANA_PHONE, JID, Desk
from tests.functions.sdr.ports import Watched

OTHERS = [("+5511955550102", "bia@exemplo.com.br"), ("+5511955550103", "caio@exemplo.com.br")]


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(Notifier, "publish", lambda _, messages: found.extend(message["type"] for message in messages))
    return found


def connection(desk: Desk, state: str) -> None:
    desk.evolution("connection.update", {"instance": "somos", "state": state, "statusReason": 428})
    desk.mesh.drain()


def test_a_connection_that_comes_and_goes_is_told_once_until_it_stayed(desk: Desk, notices: list[str]):
    for _ in range(10):
        connection(desk, "close")
        desk.mesh.advance(minutes=2)
        connection(desk, "open")
        desk.mesh.advance(minutes=1)
    assert notices.count("sender.health") == 1
    desk.mesh.advance(minutes=11)
    connection(desk, "close")
    assert notices.count("sender.health") == 2


def test_what_waited_for_the_connection_leaves_one_by_one_however_often_it_comes_back(desk: Desk):
    leads = [desk.lead(), *(desk.lead(phone, email) for phone, email in OTHERS)]
    messages = [desk.draft(lead) for lead in leads]
    connection(desk, "close")
    for message in messages:
        desk.approve(message)
    desk.mesh.drain()
    assert desk.left("whatsapp") == []
    connection(desk, "open")
    assert len(desk.left("whatsapp")) == 1
    connection(desk, "close")
    connection(desk, "open")
    assert len(desk.left("whatsapp")) == 1
    left = []
    for _ in range(3):
        desk.mesh.advance(seconds=46)
        desk.mesh.drain()
        left.append(len(desk.left("whatsapp")))
    assert left == [2, 3, 3]


def test_a_message_without_any_receipt_is_told_once_and_confirmed_by_the_first(desk: Desk, notices: list[str]):
    message = desk.sent()
    desk.sql("delete from sdr.message_receipts")
    desk.every_minutes(10)
    assert desk.message(message["id"])["unconfirmed_at"] is None
    for _ in range(4):
        desk.every_minutes(10)
    assert desk.message(message["id"])["unconfirmed_at"] is not None
    assert notices.count("outreach.unconfirmed") == 1
    id = desk.one("select provider_id from sdr.outreach_messages")
    desk.evolution("messages.update", [{"keyId": id, "remoteJid": JID, "fromMe": True, "status": "DELIVERY_ACK"}])
    desk.mesh.drain()
    after = desk.message(message["id"])
    assert (after["state"], after["unconfirmed_at"]) == ("delivered", None)


def test_a_message_that_fails_after_it_was_taken_ends(desk: Desk):
    message = desk.sent()
    id = desk.one("select provider_id from sdr.outreach_messages")
    desk.evolution("messages.update", {"keyId": id, "remoteJid": JID, "fromMe": True, "status": "FAILED"})
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "failed_permanent"


class Listing(Watched):
    """A number whose list holds what a test puts there."""

    def __init__(self, inner: Whatsapp, said: list[ChatMessage]) -> None:
        super().__init__(inner, lambda _: None)
        self._said = tuple(said)

    def messages(self, instance: str, page: int = 1, jid: str | None = None) -> ChatPage:
        return ChatPage(messages=self._said)


def listed(desk: Desk, said: list[ChatMessage]) -> None:
    """Let the next pull find these, and nothing be told by webhook."""
    wiring = desk.mesh.runtime.wiring
    real = wiring.port(Whatsapp)
    wiring._built[Whatsapp] = Listing(real, said)
    try:
        desk.every_minutes(5)
    finally:
        wiring._built[Whatsapp] = real


def said(desk: Desk, phone: str, text: str, **more: Any) -> ChatMessage:
    told = {"provider_id": f"L{text}{phone}", "from_me": False, "jid": f"{phone[1:]}@s.whatsapp.net", "phone": phone}
    return ChatMessage(**{**told, "text": text, "at": desk.mesh.time - timedelta(minutes=1), **more})


def test_one_message_that_cannot_be_stored_costs_no_other_and_waits_for_a_person(desk: Desk):
    leads = [desk.lead(), desk.lead(*OTHERS[0])]
    for lead in leads:
        desk.sent(lead)
    # No index takes a key of this size.
    endless = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(200))
    poison = said(desk, ANA_PHONE, "parar", provider_id=endless)
    for _ in range(2):
        listed(desk, [poison, said(desk, OTHERS[0][0], "parar", lid="777@lid")])
    heard = desk.mesh.rows("select lead_id, text, label from sdr.responses order by lead_id")
    assert [(str(row["lead_id"]), row["text"], row["label"]) for row in heard] == [
        (leads[0], "[mensagem que não pôde ser guardada; leia no celular]", "unclear"),
        (leads[1], "parar", "optout"),
    ]
    assert desk.one("select count(*) from mesh.deliveries where state = 'dead'") == 0


def test_an_edit_and_a_message_from_our_phone_that_no_webhook_told_are_found_in_the_list(desk: Desk):
    lead = desk.lead()
    desk.sent(lead)
    waiting = desk.draft(lead, channel="email")
    desk.hears("ok", id="3A0001")
    listed(desk, [said(desk, ANA_PHONE, "Te ligo amanhã", from_me=True, provider_id="3EB1")])
    assert desk.message(waiting["id"])["state"] == "cancelled"
    shown = desk.get(f"conversations/{lead}")["items"]
    assert ("Te ligo amanhã", "out", "person") in [(item["text"], item["direction"], item["author"]) for item in shown]
    for _ in range(2):
        listed(desk, [said(desk, ANA_PHONE, "parar, por favor", provider_id="3A0001")])
    assert [row["text"] for row in desk.mesh.rows("select text from sdr.responses order by id")] == [
        "ok",
        "parar, por favor",
    ]
    assert desk.get("suppressions")["items"]


def test_who_shows_only_a_hidden_number_is_told_apart_in_the_list_too(desk: Desk):
    desk.sent()
    hidden = {"phone": None, "jid": "555@lid", "lid": "555@lid"}
    listed(desk, [said(desk, ANA_PHONE, "Quem é?", lid="555@lid")])
    listed(desk, [said(desk, ANA_PHONE, "parar").model_copy(update=hidden)])
    assert [row["label"] for row in desk.mesh.rows("select label from sdr.responses order by id")][-1] == "optout"
    assert {s["kind"] for s in desk.get("suppressions")["items"]} == {"phone", "email"}
