"""WhatsApp: which of Evolution's answers mean what, and that nothing is ever sent twice."""

from collections.abc import Callable

import pytest

from somos.adapters.evolution.whatsapp import Evolution
from somos.adapters.http import ResilientClient
from somos.ports.errors import NotConfigured, OutsideError, Refused, Throttled, Transient, Unknown
from somos.ports.whatsapp import Whatsapp
from somos.wiring import Wiring
from tests.adapters.conftest import World
from tests.adapters.provider import Provider, Reply

Make = Callable[..., ResilientClient]

JID = "5511955550101@s.whatsapp.net"


@pytest.fixture
def evolution(client: Make) -> Evolution:
    return Evolution(client(headers={"apikey": "k"}), "somos")


def envelope(message: object, status: int = 400) -> Reply:
    return Reply(status, {"status": status, "error": "Bad Request", "response": {"message": message}})


def error_of_send(evolution: Evolution) -> OutsideError:
    with pytest.raises(OutsideError) as raised:
        evolution.send_text("somos", JID, "Oi", key="k")
    return raised.value


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (envelope([["instance requires property \"text\""]]), Refused, "bad-request"),
        (envelope([["instance.number is not of a type(s) string"]]), Refused, "bad-request"),
        (envelope([{"jid": JID, "exists": False, "number": "55"}]), Refused, "number-not-on-whatsapp"),
        (envelope(["Text is required"]), Refused, "empty-text"),
        (envelope(["[object Object]"]), Refused, "group-not-found"),
        (envelope(["Error: Connection Closed"]), Transient, "disconnected"),
        (envelope(["Error: Timed Out"]), Unknown, "send-failed"),
        (envelope(["PrismaClientKnownRequestError"]), Unknown, "send-failed"),
        (Reply(400, "not json at all"), Unknown, "send-failed"),
        (envelope("Unauthorized", 401), NotConfigured, "key-refused"),
        (envelope(['The "loja" instance does not exist'], 404), NotConfigured, "unknown-instance"),
        (Reply(503, {"error": "service not activated", "code": "LICENSE_REQUIRED"}), NotConfigured, "no-licence"),
        (Reply(503, "<h1>503</h1>"), Unknown, "provider-failed"),
        (Reply(502, "<h1>Bad Gateway</h1>"), Unknown, "provider-failed"),
        (envelope(["Error: Connection Closed"], 500), Unknown, "provider-failed"),
        (Reply(429, {}), Throttled, "throttled"),
        (Reply(201, "<html>"), Unknown, "malformed"),
        (Reply(201, {"key": {"remoteJid": JID}}), Unknown, "malformed"),
        (Reply(201, {"key": {"id": "3EB0"}, "pad": "x" * 99}, manner="half"), Unknown, "answer-lost"),
        (Reply(manner="lost"), Unknown, "answer-lost"),
    ],
)  # fmt: skip
def test_what_an_answer_to_a_send_means(
    evolution: Evolution, provider: Provider, reply: Reply, kind: type, code: str
) -> None:
    provider.will(reply)
    error = error_of_send(evolution)
    assert (type(error), error.code) == (kind, code)
    assert len(provider.asked) == 1


def test_a_disconnected_number_does_not_close_the_way_for_the_others(evolution: Evolution, provider: Provider) -> None:
    provider.will(envelope(["Error: Connection Closed"]))
    for _ in range(6):
        assert error_of_send(evolution).code == "disconnected"


def test_a_send_says_what_to_whom_from_where(evolution: Evolution, provider: Provider) -> None:
    provider.will(Reply(201, {"key": {"id": "3EB0A1"}}))
    assert evolution.send_text("loja 1/2", JID, "Olá, Ana!", key="k").provider_id == "3EB0A1"
    asked = provider.asked[0]
    assert asked.path == "/message/sendText/loja%201%2F2"
    assert asked.headers["apikey"] == "k"
    assert asked.json == {"number": JID, "text": "Olá, Ana!", "linkPreview": False}


def test_a_number_is_asked_with_and_without_its_ninth_digit_and_matched_by_number(
    evolution: Evolution, provider: Provider
) -> None:
    old = "554855550101@s.whatsapp.net"
    provider.will(
        Reply(
            200,
            [
                {"jid": old, "exists": True, "number": "554885550101"},
                {"jid": "5548985550101@s.whatsapp.net", "exists": False, "number": "5548985550101"},
            ],
        )
    )
    found = evolution.check_number("+5548985550101")
    assert provider.asked[0].path == "/chat/whatsappNumbers/somos"
    assert provider.asked[0].json == {"numbers": ["5548985550101", "554885550101"]}
    assert found.exists
    assert found.jid == old


@pytest.mark.parametrize(
    ("reply", "kind", "code", "tries"),
    [
        (Reply(400, {"status": 400, "error": "Bad Request", "message": "Error: x"}), Transient, "disconnected", 3),
        (envelope([["instance requires property \"numbers\""]]), Refused, "bad-request", 1),
        (envelope(["x"], 404), NotConfigured, "unknown-instance", 1),
        (Reply(200, {"not": "a list"}), Transient, "malformed", 3),
        (Reply(500, {}), Transient, "provider-failed", 3),
    ],
)  # fmt: skip
def test_what_an_answer_to_a_look_up_means(
    evolution: Evolution, provider: Provider, reply: Reply, kind: type, code: str, tries: int
) -> None:
    provider.will(reply)
    with pytest.raises(OutsideError) as raised:
        evolution.check_number("+5511955550101")
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert len(provider.asked) == tries


def test_in_the_sandbox_a_message_reaches_its_person(wiring: Wiring, world_now: World) -> None:
    whatsapp = wiring.port(Whatsapp)
    found = whatsapp.check_number("+5511955550101")
    assert found.exists
    assert found.jid
    sent = whatsapp.send_text("somos", found.jid, "Oi, tudo bem?", key="k")
    assert sent.provider_id
    assert [message["text"] for message in world_now.sent("whatsapp")] == ["Oi, tudo bem?"]


def test_in_the_sandbox_a_number_nobody_has_does_not_exist(wiring: Wiring) -> None:
    assert not wiring.port(Whatsapp).check_number("+5511955550000").exists


def test_an_answer_lost_after_the_message_left_is_unknown_and_the_message_left_once(
    wiring: Wiring, world_now: World
) -> None:
    world_now.fault("evolution", "lost", path="/message")
    with pytest.raises(Unknown):
        wiring.port(Whatsapp).send_text("somos", JID, "Oi", key="k")
    assert len(world_now.sent("whatsapp")) == 1


def test_what_was_said_is_read_page_by_page(evolution: Evolution, provider: Provider) -> None:
    said = {
        "key": {"remoteJid": JID, "fromMe": False, "id": "3EB0"},
        "message": {"conversation": "Oi"},
        "messageTimestamp": 1767225600,
    }
    group = {**said, "key": {"remoteJid": "1@g.us", "fromMe": False, "id": "3EB1"}}
    provider.will(Reply(200, {"messages": {"total": 51, "pages": 2, "currentPage": 1, "records": [said, group]}}))
    page = evolution.messages("somos", jid=JID)
    assert [message.provider_id for message in page.messages] == ["3EB0"]
    assert page.next_page == 2
    assert provider.asked[0].json == {"where": {"key": {"remoteJid": JID}}, "page": 1, "offset": 50}


@pytest.mark.parametrize("body", [{}, [], {"messages": []}, {"messages": {"records": None}}])
def test_a_list_that_cannot_be_read_is_tried_later(evolution: Evolution, provider: Provider, body: object) -> None:
    provider.will(Reply(200, body))
    with pytest.raises(Transient):
        evolution.messages("somos")


def test_the_sandbox_keeps_what_was_said_on_a_number(wiring: Wiring, world_now: World) -> None:
    port = wiring.port(Whatsapp)
    jid = port.check_number("+5511955550101").jid or ""
    sent = port.send_text("somos", jid, "Olá, Ana!", key="k")
    mine = [message for message in port.messages("somos", jid=jid).messages if message.from_me]
    assert [(message.provider_id, message.text) for message in mine] == [(sent.provider_id, "Olá, Ana!")]
    assert port.messages("comercial").messages == ()
