"""Resend's protocol: keys, idempotency, Svix-signed events, inbound mail."""

import base64
import hashlib
import hmac
import http.client
import json
import threading
import time
from typing import Any

import pytest

from infra.sandbox.clock import now
from infra.sandbox.serve import Sandbox

from .conftest import KEYS, Call, Receiver, World

ANA, IVAN, NINA = "ana@horizonte-exemplo.com.br", "ivan@bonde-exemplo.com.br", "nina@viralata-exemplo.com.br"


def events(receiver: Receiver) -> list[str]:
    return [e["type"] for e in receiver.events("/webhook/email")]


def test_a_mail_is_accepted_and_can_be_read_back(email: Call, resend: Call, world: World) -> None:
    answer = email(ANA, reply_to=["eu@produtora-exemplo.com.br"])
    assert answer.status_code == 200
    assert answer.json().keys() == {"id"}
    assert answer.headers["ratelimit-limit"] == "5"
    world.settle()
    read = resend("GET", f"/emails/{answer.json()['id']}").json()
    assert read["object"] == "email"
    assert (read["to"], read["subject"], read["last_event"]) == ([ANA], "Vídeo", "opened")
    assert resend("GET", "/emails/nope").json()["name"] == "not_found"


def test_a_request_without_user_agent_is_refused_at_the_edge(sandbox: Sandbox) -> None:
    line = http.client.HTTPConnection("127.0.0.1", sandbox.port)
    line.request("POST", "/resend/emails", b"{}", {"Authorization": f"Bearer {KEYS.resend_api_key}"})
    answer = line.getresponse()
    assert (answer.status, answer.read()) == (403, b"error code: 1010")
    line.close()


def test_a_missing_key_and_a_wrong_key_are_told_apart(resend: Call) -> None:
    missing = resend("GET", "/emails/x", headers={"Authorization": ""})
    assert (missing.status_code, missing.json()["name"]) == (401, "missing_api_key")
    wrong = resend("GET", "/emails/x", headers={"Authorization": "Bearer re_other"})
    assert (wrong.status_code, wrong.json()["name"]) == (403, "invalid_api_key")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"subject": ""}, "missing_required_field"),
        ({"text": None}, "missing_required_field"),
        ({"from": "ninguém"}, "invalid_from_address"),
        ({"to": ["x@example.com"]}, "validation_error"),
        ({"to": [f"x{n}@y-exemplo.com.br" for n in range(51)]}, "validation_error"),
    ],
)
def test_a_bad_mail_is_refused_with_its_name(email: Call, change: dict[str, Any], name: str) -> None:
    answer = email(ANA, **change)
    assert answer.status_code == 422
    assert answer.json().keys() == {"statusCode", "name", "message"}
    assert answer.json()["name"] == name


def test_the_same_key_and_body_send_once(email: Call, world: World) -> None:
    first, second = email(ANA, key="k1"), email(ANA, key="k1")
    assert first.json() == second.json()
    assert [m["idempotency_key"] for m in world.get("sent")] == ["k1"]


def test_the_same_key_with_another_body_conflicts(email: Call, world: World) -> None:
    email(ANA, key="k1")
    other = email(ANA, key="k1", subject="Outro")
    assert (other.status_code, other.json()["name"]) == (409, "invalid_idempotent_request")
    assert len(world.get("sent")) == 1
    assert email(ANA, key="x" * 257).json()["name"] == "invalid_idempotency_key"


def test_a_twin_in_flight_conflicts_and_may_try_again(email: Call, world: World, sandbox: Sandbox) -> None:
    world.post("faults", provider="resend", kind="slow", ms=400)
    first: list[int] = []
    sender = threading.Thread(target=lambda: first.append(email(ANA, key="k1").status_code))
    sender.start()
    deadline = time.monotonic() + 5
    while sandbox.world.state.one("SELECT 1 FROM idempotency") is None and time.monotonic() < deadline:
        pass
    twin = email(ANA, key="k1")
    sender.join()
    assert (twin.status_code, twin.json()["name"]) == (409, "concurrent_idempotent_requests")
    assert first == [200]
    assert email(ANA, key="k1").status_code == 200
    assert len(world.get("sent")) == 1


def test_a_key_is_free_again_after_a_day(email: Call, world: World, sandbox: Sandbox) -> None:
    email(ANA, key="k1")
    sandbox.world.state.run("UPDATE idempotency SET created_at = created_at - 86401")
    email(ANA, key="k1")
    assert len(world.get("sent")) == 2


def test_an_answer_lost_after_the_send_is_safe_to_repeat_with_the_key(email: Call, world: World) -> None:
    world.post("faults", provider="resend", kind="lost_502")
    assert email(ANA, key="k1").status_code == 502
    assert email(ANA, key="k1").status_code == 200
    assert len(world.get("sent")) == 1


def test_events_are_signed_as_svix_signs(email: Call, world: World, receiver: Receiver) -> None:
    email(ANA, tags=[{"name": "campanha", "value": "c1"}])
    world.settle()
    key = base64.b64decode(KEYS.resend_webhook_secret.removeprefix("whsec_") + "==")
    for _, headers, body in receiver.got:
        signed = f"{headers['svix-id']}.{headers['svix-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["svix-signature"] == f"v1,{expected}"
        assert abs(now() - int(headers["svix-timestamp"])) < 300
    assert len({h["svix-id"] for _, h, _ in receiver.got}) == len(receiver.got)
    assert sorted(events(receiver)) == ["email.delivered", "email.opened", "email.received", "email.sent"]
    delivered = next(e for e in receiver.events("/webhook/email") if e["type"] == "email.delivered")
    assert {"email_id", "message_id", "created_at", "from", "to", "subject"} <= delivered["data"].keys()
    assert delivered["data"]["tags"] == {"campanha": "c1"}


def test_an_answer_comes_without_body_and_the_body_is_fetched(
    email: Call, resend: Call, world: World, receiver: Receiver
) -> None:
    email(ANA)
    world.settle()
    data = next(e["data"] for e in receiver.events("/webhook/email") if e["type"] == "email.received")
    assert "text" not in data
    assert "html" not in data
    assert data["from"] == f"Ana Beatriz Prado <{ANA}>"
    assert data["received_for"] == ["oi@produtora-exemplo.com.br"]
    mail = resend("GET", f"/emails/receiving/{data['email_id']}").json()
    assert "interesse" in mail["text"]
    assert mail["subject"] == "Re: Vídeo"
    assert mail["headers"]["in-reply-to"]


def test_a_mailbox_that_bounced_is_suppressed_afterwards(email: Call, world: World, receiver: Receiver) -> None:
    email(IVAN)
    world.settle()
    bounce = next(e for e in receiver.events("/webhook/email") if e["type"] == "email.bounced")
    assert bounce["data"]["bounce"]["type"] == "Permanent"
    email(IVAN)
    world.settle()
    assert events(receiver)[-1] == "email.suppressed"


def test_a_complaint_and_the_test_sinks(email: Call, world: World, receiver: Receiver) -> None:
    email(NINA)
    email("bounced+a@resend.dev")
    email("complained@resend.dev")
    world.settle()
    assert events(receiver).count("email.complained") == 2
    assert events(receiver).count("email.bounced") == 1


def test_the_rate_limit_can_be_enforced(email: Call, world: World) -> None:
    world.post("settings", resend_per_second=2)
    answers = [email(ANA) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert answers[2].json()["name"] == "rate_limit_exceeded"
    assert answers[2].headers["retry-after"] == "1"


def test_another_endpoint_gets_its_own_secret_and_only_its_events(
    resend: Call, email: Call, world: World, receiver: Receiver
) -> None:
    body = {"endpoint": f"{receiver.url}/second", "events": ["email.delivered"]}
    created = resend("POST", "/webhooks", json=body)
    assert created.status_code == 201
    assert created.json()["signing_secret"].startswith("whsec_")
    email(ANA)
    world.settle()
    assert [json.loads(b)["type"] for p, _, b in receiver.got if p == "/second"] == ["email.delivered"]


def test_the_one_click_link_of_a_mail_is_used(email: Call, world: World, receiver: Receiver) -> None:
    headers = {
        "List-Unsubscribe": f"<{receiver.url}/unsubscribe/abc>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    email("gustavo@tamandua-exemplo.com.br", headers=headers)
    assert world.post("people/tamandua/unsubscribe") == {"status": 200}
    assert ("/unsubscribe/abc", b"List-Unsubscribe=One-Click") in [(p, b) for p, _, b in receiver.got]
