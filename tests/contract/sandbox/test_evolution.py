"""Evolution's protocol: guards, error envelopes, receipts and answers by webhook."""

import pytest

from infra.sandbox.serve import Sandbox

from .conftest import KEYS, Call, Receiver, World

ANA, IVAN_FIXED, GUSTAVO, SOFIA = "5511955550101", "551155550109", "5511955550107", "5541955550119"


def test_a_text_is_accepted_with_the_message_object(whatsapp: Call) -> None:
    answer = whatsapp(ANA, "Oi, Ana")
    assert answer.status_code == 201
    body = answer.json()
    assert body["key"] == {"remoteJid": f"{ANA}@s.whatsapp.net", "fromMe": True, "id": body["key"]["id"]}
    assert body["status"] == "PENDING"
    assert body["message"] == {"conversation": "Oi, Ana"}
    assert body["messageType"] == "conversation"
    assert isinstance(body["messageTimestamp"], int)
    assert {"pushName", "contextInfo", "instanceId", "source"} <= body.keys()


def test_repeating_a_send_sends_twice(whatsapp: Call, world: World) -> None:
    ids = {whatsapp(ANA, "Oi").json()["key"]["id"] for _ in range(2)}
    assert len(ids) == 2
    assert [m["text"] for m in world.get("sent", channel="whatsapp")] == ["Oi", "Oi"]


def test_the_instance_is_looked_for_before_the_key(evolution: Call) -> None:
    unknown = evolution("GET", "/instance/connectionState/loja", key="wrong")
    assert unknown.status_code == 404
    assert unknown.json() == {
        "status": 404,
        "error": "Not Found",
        "response": {"message": ['The "loja" instance does not exist']},
    }
    denied = evolution("GET", "/instance/connectionState/somos", key="wrong")
    assert denied.status_code == 401
    assert denied.json()["response"]["message"] == "Unauthorized"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"number": ANA}, [['instance requires property "text"']]),
        ({"number": 55, "text": "oi"}, [["instance.number is not of a type(s) string"]]),
        ({"number": ANA, "text": "  "}, ["Text is required"]),
        (
            {"number": IVAN_FIXED, "text": "oi"},
            [{"jid": f"{IVAN_FIXED}@s.whatsapp.net", "exists": False, "number": IVAN_FIXED}],
        ),
    ],
)
def test_refusals_come_in_the_exact_envelope(evolution: Call, body: object, message: object) -> None:
    answer = evolution("POST", "/message/sendText/somos", json=body)
    assert answer.status_code == 400
    assert answer.json() == {"status": 400, "error": "Bad Request", "response": {"message": message}}


def test_a_number_is_found_with_and_without_the_ninth_digit(evolution: Call) -> None:
    numbers = [SOFIA, "554155550119", IVAN_FIXED, "5511988880000", "5511988881234"]
    found = evolution("POST", "/chat/whatsappNumbers/somos", json={"numbers": numbers}).json()
    by_number = {f["number"]: f for f in found}
    assert by_number[SOFIA]["jid"] == by_number["554155550119"]["jid"] == "554155550119@s.whatsapp.net"
    assert [by_number[n]["exists"] for n in numbers] == [True, True, False, False, True]


def test_receipts_and_the_answer_arrive_by_webhook(whatsapp: Call, world: World, receiver: Receiver) -> None:
    sent = whatsapp(ANA).json()
    world.settle()
    events = receiver.events("/webhook/whatsapp")
    assert {e["event"] for e in events} == {"send.message", "messages.update", "messages.upsert"}
    envelope = {"event", "instance", "data", "destination", "date_time", "sender", "server_url", "apikey"}
    assert all(e.keys() == envelope for e in events)
    updates = [e["data"] for e in events if e["event"] == "messages.update"]
    assert {u["status"] for u in updates} == {"SERVER_ACK", "DELIVERY_ACK", "READ"}
    flat = {"keyId", "remoteJid", "fromMe", "participant", "status", "instanceId", "messageId"}
    assert all(u.keys() == flat and u["keyId"] == sent["key"]["id"] for u in updates)
    answer = next(e["data"] for e in events if e["event"] == "messages.upsert")
    assert answer["key"]["fromMe"] is False
    assert answer["key"]["remoteJid"] == f"{ANA}@s.whatsapp.net"
    assert "interesse" in answer["message"]["conversation"]
    assert answer["pushName"] == "Ana Beatriz Prado"


def test_the_configured_header_travels_with_every_webhook(whatsapp: Call, world: World, receiver: Receiver) -> None:
    whatsapp(ANA)
    world.settle()
    assert {h["authorization"] for _, h, _ in receiver.got} == {f"Bearer {KEYS.evolution_webhook_token}"}


def test_a_silent_person_gets_the_message_but_neither_reads_nor_answers(
    whatsapp: Call, world: World, receiver: Receiver
) -> None:
    whatsapp(GUSTAVO)
    world.settle()
    events = receiver.events("/webhook/whatsapp")
    told = {e["data"]["status"] for e in events if e["event"] == "messages.update"}
    assert told == {"SERVER_ACK", "DELIVERY_ACK"}
    assert not [e for e in events if e["event"] == "messages.upsert"]
    assert {e["data"]["remoteJid"] for e in events if e["event"] == "messages.update"} == {"120363099000007@lid"}


def test_a_person_answers_a_first_message_only_once(whatsapp: Call, world: World, receiver: Receiver) -> None:
    whatsapp(ANA, "um")
    world.settle()
    whatsapp(ANA, "dois")
    world.settle()
    assert len(world.get("inbound")) == 1


def test_the_status_history_can_be_asked_for(whatsapp: Call, evolution: Call, world: World) -> None:
    key = whatsapp(ANA).json()["key"]["id"]
    world.settle()
    history = evolution("POST", "/chat/findStatusMessage/somos", json={"where": {"id": key}}).json()
    assert [h["status"] for h in history] == ["PENDING", "SERVER_ACK", "DELIVERY_ACK", "READ"]


def test_a_webhook_is_set_found_and_obeyed(evolution: Call, whatsapp: Call, world: World, receiver: Receiver) -> None:
    hook = {"enabled": True, "url": f"{receiver.url}/other", "byEvents": True, "events": ["MESSAGES_UPSERT"]}
    answer = evolution("POST", "/webhook/set/somos", json={"webhook": hook})
    assert answer.status_code == 201
    row = {"id", "url", "headers", "enabled", "events", "webhookByEvents", "webhookBase64", "instanceId"}
    assert row <= answer.json().keys()
    assert evolution("GET", "/webhook/find/somos").json() == answer.json()
    whatsapp(ANA)
    world.settle()
    assert {path for path, _, _ in receiver.got} == {"/other/messages-upsert"}


def test_an_enabled_webhook_without_events_breaks_as_the_real_one_does(evolution: Call) -> None:
    hook = {"enabled": True, "url": "http://127.0.0.1:9/"}
    assert evolution("POST", "/webhook/set/somos", json={"webhook": hook}).status_code == 500
    missing = evolution("POST", "/webhook/set/somos", json={"webhook": {"enabled": True}})
    assert missing.json()["response"]["message"] == [['instance.webhook requires property "url"']]


def test_a_jwt_key_becomes_a_token_signed_once_per_event(
    evolution: Call, whatsapp: Call, world: World, receiver: Receiver
) -> None:
    import jwt

    secret = "um-segredo-de-trinta-e-dois-bytes!!"
    hook = {
        "enabled": True,
        "url": f"{receiver.url}/jwt",
        "events": ["MESSAGES_UPSERT"],
        "headers": {"jwt_key": secret},
    }
    evolution("POST", "/webhook/set/somos", json={"webhook": hook})
    receiver.statuses = [500]
    whatsapp(ANA)
    world.settle()
    first, second = (h["authorization"] for _, h, _ in receiver.got)
    assert first == second
    claims = jwt.decode(first.removeprefix("Bearer "), secret, algorithms=["HS256"])
    assert claims["exp"] == claims["iat"] + 600
    assert (claims["app"], claims["action"]) == ("evolution", "webhook")
    assert "jwt_key" not in receiver.got[0][1]


def test_a_lost_connection_is_told_and_refuses_to_send(
    whatsapp: Call, evolution: Call, world: World, receiver: Receiver
) -> None:
    world.post("instances/somos", state="close", reason=401)
    refused = whatsapp(ANA)
    assert refused.status_code == 400
    assert refused.json()["response"]["message"] == ["Error: Connection Closed"]
    numbers = evolution("POST", "/chat/whatsappNumbers/somos", json={"numbers": [ANA]})
    assert numbers.status_code == 400
    assert "response" not in numbers.json()
    assert evolution("GET", "/instance/connect/somos").json().keys() == {"pairingCode", "code", "base64", "count"}
    world.settle()
    updates = [e["data"] for e in receiver.events("/webhook/whatsapp") if e["event"] == "connection.update"]
    assert updates[0]["state"] == "close"
    assert {"wuid", "profileName"} <= next(u for u in updates if u["state"] == "open").keys()
    assert whatsapp(ANA).status_code == 201


def test_an_instance_is_created_once_and_its_own_token_opens_only_it(evolution: Call) -> None:
    created = evolution("POST", "/instance/create", json={"instanceName": "loja", "qrcode": True})
    assert created.status_code == 201
    assert {"instance", "hash", "webhook", "settings", "qrcode"} == created.json().keys()
    token = created.json()["hash"]
    assert evolution("GET", "/instance/connectionState/loja", key=token).status_code == 200
    assert evolution("GET", "/instance/connectionState/somos", key=token).status_code == 401
    again = evolution("POST", "/instance/create", json={"instanceName": "loja"})
    assert again.status_code == 403
    assert again.json()["response"]["message"] == ['This name "loja" is already in use.']


def test_a_person_can_write_first_and_again(sandbox: Sandbox, world: World, receiver: Receiver) -> None:
    world.post("people/farol/say", text="Oi, vi o trabalho de vocês")
    world.post("people/farol/say", text="PARAR", instance="comercial")
    world.settle()
    events = receiver.events("/webhook/whatsapp")
    assert [(e["instance"], e["data"]["message"]["conversation"]) for e in events] == [
        ("somos", "Oi, vi o trabalho de vocês"),
        ("comercial", "PARAR"),
    ]


def test_messages_after_an_optout_are_marked(whatsapp: Call, world: World) -> None:
    elisa = "5511955550105"
    whatsapp(elisa)
    world.settle()
    whatsapp(elisa)
    assert [m["after_optout"] for m in world.get("sent")] == [False, True]
    assert [m["text"] for m in world.get("inbound")] == ["PARAR"]


def test_a_new_person_can_move_in(whatsapp: Call, world: World) -> None:
    told = {"name": "Zeca", "phone": "+55 11 98888-1234", "email": "zeca@x-exemplo.com.br", "temperament": "no"}
    assert world.post("people/zeca", **told)["jid"] == "5511988881234@s.whatsapp.net"
    whatsapp("5511988881234")
    world.settle()
    assert [m["person"] for m in world.get("inbound")] == ["zeca"]


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ("hidden", {"remoteJid": "@lid", "remoteJidAlt": "@s.whatsapp.net"}),
        ("hidden-2.3.0", {"remoteJid": "@lid", "senderPn": "@s.whatsapp.net"}),
        ("hidden-alone", {"remoteJid": "@lid"}),
    ],
)
def test_a_number_is_hidden_as_each_version_hides_it(
    world: World, receiver: Receiver, how: str, seen: dict[str, str]
) -> None:
    world.post("people/farol/say", text="PARAR", how=how)
    world.settle()
    key = receiver.events("/webhook/whatsapp")[0]["data"]["key"]
    assert {name: "@" + str(key.get(name)).partition("@")[2] for name in seen} == seen


def test_a_person_presses_edits_reacts_and_deletes_and_one_of_ours_writes_by_hand(
    world: World, receiver: Receiver
) -> None:
    world.post("people/farol/say", text="SAIR", how="button")
    said = world.post("people/farol/say", text="ok")["id"]
    world.post("people/farol/edit", id=said, text="parar")
    world.post("people/farol/react", id="3EB0", text="👍")
    world.post("people/farol/delete", id=said)
    world.post("people/farol/hear-by-hand", text="Te ligo amanhã")
    world.settle()
    told = receiver.events("/webhook/whatsapp")
    assert [event["event"] for event in told].count("messages.edited") == 1
    kinds = [next(iter(event["data"]["message"])) for event in told if event["event"] == "messages.upsert"]
    assert sorted(kinds) == [
        "buttonsResponseMessage", "conversation", "conversation", "protocolMessage", "reactionMessage",
    ]  # fmt: skip
