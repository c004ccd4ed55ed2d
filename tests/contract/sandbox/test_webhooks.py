"""Webhooks on demand: held, doubled, reversed, in parallel; retried as each provider does; kept over a restart."""

import json
from pathlib import Path

import requests

from infra.sandbox.serve import start

from .conftest import KEYS, Call, Receiver, World

ANA = "5511955550101"


def test_held_webhooks_wait_until_released(whatsapp: Call, world: World, receiver: Receiver) -> None:
    world.post("webhooks", action="hold")
    whatsapp(ANA)
    world.settle()
    assert receiver.got == []
    assert {d["state"] for d in world.get("webhooks")} == {"held"}
    released = world.post("webhooks", action="release")["deliveries"]
    assert [r["status"] for r in released] == [200] * 5
    assert len(receiver.got) == 5


def test_released_webhooks_can_come_ten_times_in_reverse(whatsapp: Call, world: World, receiver: Receiver) -> None:
    world.post("webhooks", action="hold")
    whatsapp(ANA)
    world.settle()
    world.post("webhooks", action="release", times=10, order="reversed")
    came = [json.loads(b)["event"] for _, _, b in receiver.got]
    assert len(came) == 50
    assert came[0] == "messages.upsert"
    assert came[-1] == "send.message"


def test_released_webhooks_can_come_in_parallel_and_shuffled(whatsapp: Call, world: World, receiver: Receiver) -> None:
    world.post("webhooks", action="hold")
    whatsapp(ANA)
    world.settle()
    world.post("webhooks", action="release", times=4, order="random", parallel=True)
    assert len(receiver.got) == 20
    assert len({b for _, _, b in receiver.got}) == 5


def test_single_webhooks_can_be_let_through(whatsapp: Call, world: World, receiver: Receiver) -> None:
    world.post("webhooks", action="hold")
    whatsapp(ANA)
    world.settle()
    upsert = next(d["id"] for d in world.get("webhooks") if d["event"] == "messages.upsert")
    world.post("webhooks", action="release", ids=[upsert], keep_holding=True)
    assert [e["event"] for e in receiver.events("/webhook/whatsapp")] == ["messages.upsert"]
    world.post("webhooks", action="release")
    assert len(receiver.got) == 5


def test_a_replay_repeats_bytes_and_ids(email: Call, world: World, receiver: Receiver) -> None:
    email("ana@horizonte-exemplo.com.br")
    world.settle()
    first = {(h["svix-id"], b) for _, h, b in receiver.got}
    receiver.got.clear()
    world.post("webhooks", action="replay", times=2, parallel=True, provider="resend")
    assert len(receiver.got) == 8
    assert {(h["svix-id"], b) for _, h, b in receiver.got} == first


def test_evolution_tries_ten_times_and_gives_up(world: World, receiver: Receiver) -> None:
    receiver.statuses = [500] * 20
    world.post("people/horizonte/say", text="oi")
    world.settle()
    assert len(receiver.got) == 10
    assert world.get("webhooks")[0]["state"] == "failed"


def test_evolution_never_retries_what_the_receiver_calls_wrong(world: World, receiver: Receiver) -> None:
    for status in (400, 401, 403, 404, 422):
        receiver.statuses = [status]
        world.post("people/horizonte/say", text="oi")
        world.settle()
    assert len(receiver.got) == 5


def test_resend_retries_redirects_and_refusals_under_one_id(email: Call, world: World, receiver: Receiver) -> None:
    world.post("settings", time_scale=0.000001)
    receiver.statuses = [307, 401, 503]
    email("delivered@resend.dev")
    world.settle()
    ids = [h["svix-id"] for _, h, _ in receiver.got]
    assert len(ids) == 5
    assert len(set(ids)) == 2
    assert {d["state"] for d in world.get("webhooks")} == {"delivered"}


def test_a_receiver_that_is_away_is_tried_again_later(world: World, receiver: Receiver) -> None:
    world.post("settings", whatsapp_webhook_url="http://127.0.0.1:9/", time_scale=0.0001)
    world.post("webhooks", action="hold")
    world.post("people/horizonte/say", text="oi")
    released = world.post("webhooks", action="release")["deliveries"]
    assert [r["status"] for r in released] == [None]
    world.settle()
    log = world.get("webhooks")[0]
    assert len(log["tries"]) == 10
    assert log["tries"][0]["error"]


def test_the_log_shows_no_credentials(whatsapp: Call, world: World) -> None:
    whatsapp(ANA)
    world.settle()
    assert KEYS.evolution_webhook_token not in json.dumps(world.get("webhooks"))


def test_a_restart_forgets_nothing(tmp_path: Path, receiver: Receiver) -> None:
    path = str(tmp_path / "world.sqlite3")
    told = {"whatsapp_webhook_url": f"{receiver.url}/webhook/whatsapp", "delay_ms": 5}
    message = {"number": ANA, "text": "oi"}
    key = {"apikey": KEYS.evolution_api_key}
    with start(state=path, **told) as first:
        requests.post(f"{first.url}/_world/webhooks", json={"action": "hold"})
        sent = requests.post(f"{first.url}/evolution/message/sendText/somos", json=message, headers=key).json()
        requests.post(f"{first.url}/_world/wait", json={})
    with start(state=path, **told) as second:
        assert [m["id"] for m in requests.get(f"{second.url}/_world/sent").json()] == [sent["key"]["id"]]
        requests.post(f"{second.url}/_world/webhooks", json={"action": "release"})
    assert len(receiver.got) == 5


def test_what_was_planned_before_a_restart_still_happens(tmp_path: Path, receiver: Receiver) -> None:
    path = str(tmp_path / "world.sqlite3")
    told = {"whatsapp_webhook_url": f"{receiver.url}/webhook/whatsapp"}
    message = {"number": ANA, "text": "oi"}
    with start(state=path, delay_ms=60_000, **told) as first:
        key = {"apikey": KEYS.evolution_api_key}
        requests.post(f"{first.url}/evolution/message/sendText/somos", json=message, headers=key)
    with start(state=path, **told) as second:
        second.world.state.run("UPDATE agenda SET due_at = 0")
        requests.post(f"{second.url}/_world/people/farol/say", json={"text": "acorda"})
        assert requests.post(f"{second.url}/_world/wait", json={}).json() == {"idle": True}
    assert len(receiver.got) == 6


def test_a_reset_with_the_same_seed_repeats_the_same_ids(whatsapp: Call, world: World) -> None:
    seen = []
    for _ in range(2):
        world.post("reset", seed=42)
        seen.append(whatsapp(ANA).json()["key"]["id"])
        world.settle()
    assert seen[0] == seen[1]
    world.post("reset", seed=43)
    assert whatsapp(ANA).json()["key"]["id"] != seen[0]
    assert len(world.get("sent")) == 1
