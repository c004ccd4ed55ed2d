"""What the gateway answers at its public addresses."""

import asyncio
import gzip
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import make_url, text
from websockets.asyncio.client import connect

from gateway.local.exchange import Call
from gateway.realtime.redis_subscriber import CHANNEL
from somos.mesh.database import alone, engine_for
from somos.mesh.heartbeats import MAX_SILENCE, record
from somos.mesh.relay import Relay
from tests.gateway.conftest import Gateway


def test_health_names_each_part_and_stays_up_without_the_relay(gateway: Gateway) -> None:
    answer = gateway.call("GET /health")
    assert answer.status_code == 200
    told = answer.json()
    assert told["status"] == "degraded"
    assert {part: one["ok"] for part, one in told["parts"].items()} == {
        "gateway": True,
        "database": True,
        "redis": True,
        "relay": False,
        "clock": True,
    }
    with gateway.mesh.db() as db:
        record(db.connection(), MAX_SILENCE)
    assert gateway.call("GET /health").json()["status"] == "ok"


def test_health_tells_that_the_clock_was_set_back_until_it_is_past_that_hour_again(gateway: Gateway) -> None:
    relay = Relay(gateway.mesh.runtime)
    relay.turn()
    relay.keep_house()
    gateway.mesh.advance(hours=-1)
    told = gateway.call("GET /health").json()["parts"]
    assert told["relay"]["ok"] is False  # no heartbeat since
    relay.turn()
    relay.keep_house()
    told = gateway.call("GET /health").json()
    assert (told["status"], told["parts"]["relay"]["ok"], told["parts"]["clock"]["ok"]) == ("degraded", True, False)
    gateway.mesh.advance(hours=1, seconds=1)
    relay.turn()
    relay.keep_house()
    assert gateway.call("GET /health").json()["status"] == "ok"


def test_a_database_that_can_be_read_but_not_written_is_down(gateway: Gateway) -> None:
    settings = gateway.mesh.runtime.settings
    with _read_only(settings.database_owner_url):
        gateway.mesh.runtime.engine.dispose()
        answer = gateway.call("GET /health")
    gateway.mesh.runtime.engine.dispose()
    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["parts"]["database"]["ok"]) == ("down", False)


@contextmanager
def _read_only(owner_url: str) -> Iterator[None]:
    """A database that takes no writes, as when its disk is full, for connections made from now on."""
    owner = engine_for(owner_url, pool_size=1)
    name = make_url(owner_url).database
    try:
        with alone(owner) as connection:
            connection.execute(text(f'alter database "{name}" set default_transaction_read_only = on'))
        yield
    finally:
        with alone(owner) as connection:
            connection.execute(text("set default_transaction_read_only = off"))
            connection.execute(text(f'alter database "{name}" reset default_transaction_read_only'))
        owner.dispose()


def test_health_of_the_integrations_calls_nobody(gateway: Gateway) -> None:
    told = gateway.call("GET /health/integrations").json()
    assert {one["provider"] for one in told["integrations"]} >= {"serpapi", "evolution", "resend", "openai"}


def test_metrics_count_requests_and_show_the_queues(gateway: Gateway) -> None:
    gateway.call("GET /api/v1/auth/me")
    shown = gateway.call("GET /metrics").text
    assert 'somos_requests_total{function="auth-me",status="401"} 1.0' in shown
    assert "somos_database_up 1.0" in shown
    assert 'somos_deliveries_dead{queue="agents"} 0.0' in shown


def test_a_request_reaches_its_function_with_body_query_and_headers(gateway: Gateway) -> None:
    admin = gateway.mesh.person("Admin")
    made = gateway.call(
        "POST /api/v1/users",
        as_=admin,
        json={"email": "zoe@somos.test", "name": "Zoé Araújo", "role": "Comercial", "password": "uma-senha-longa-7"},
        headers={"Idempotency-Key": "k1"},
    )
    assert made.status_code == 201, made.text
    again = gateway.call(
        "POST /api/v1/users", as_=admin, data=made.request.body, headers={
            "Idempotency-Key": "k1", "Content-Type": "application/json",
        },
    )  # fmt: skip
    assert again.headers["Idempotency-Replayed"] == "true"
    listed = gateway.call("GET /api/v1/users?limit=1", as_=admin).json()
    assert len(listed["items"]) == 1
    assert listed["next"]
    one = gateway.call(f"GET /api/v1/users/{made.json()['id']}", as_=admin)
    assert one.json()["name"] == "Zoé Araújo"


def test_unknown_addresses_and_methods_are_problems(gateway: Gateway) -> None:
    for what, status in (("GET /api/v1/nothing", 404), ("DELETE /api/v1/auth/login", 405), ("GET /nothing", 404)):
        answer = gateway.call(what)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_too_large_a_body_is_refused_before_it_is_held(gateway: Gateway) -> None:
    answer = gateway.call("POST /api/v1/auth/login", data=b"x" * 22_000_000)
    assert answer.status_code == 413


def test_the_address_a_client_claims_is_not_believed(gateway: Gateway) -> None:
    for n in range(30):
        answer = gateway.call(
            "POST /api/v1/auth/login",
            json={"email": f"x{n}@somos.test", "password": "errada"},
            headers={"X-Real-Ip": f"10.0.0.{n}"},
        )
    assert answer.status_code == 429  # one address tried too often, whatever it said it was


def test_a_head_request_has_no_body(gateway: Gateway) -> None:
    answer = gateway.call("HEAD /")
    assert answer.status_code == 200
    assert answer.content == b""


def test_the_page_and_its_parts_come_from_here_and_only_from_here(gateway: Gateway) -> None:
    page = gateway.call("GET /")
    assert "Somos" in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "//" not in "".join(line for line in page.text.splitlines() if "src=" in line or "href=" in line)
    for path in ("/style.css", "/app.js", "/swagger/swagger-ui-bundle.js", "/openapi.json", "/map.json"):
        assert gateway.call(f"GET {path}").status_code == 200, path
    assert gateway.call("GET /", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    raw = gateway.call("GET /app.js", headers={"Accept-Encoding": "gzip"}, stream=True)
    assert raw.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(raw.raw.read())


def test_no_path_leads_out_of_the_page(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    for path in (
        "/../serve.py",
        "/page/../app.py",
        "/swagger/../__init__.py",
        "/%2e%2e/serve.py",
        "/.",
        "//etc/passwd",
    ):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 404, path
    connection.close()


def test_source_is_shown_for_files_of_the_map_only(gateway: Gateway) -> None:
    shown = gateway.call("GET /_local/source?file=functions/auth/login.py")
    assert "def login" in shown.text
    assert gateway.call("GET /_local/source?file=shared/somos/settings.py").status_code == 404
    foreign = gateway.call("GET /_local/source?file=functions/auth/login.py", headers={"Host": "evil.example"})
    assert foreign.status_code == 404


def test_the_people_of_the_stack_are_told_only_inside_it_and_by_its_own_name(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gateway.call("GET /_local/people").json() == {"people": []}
    monkeypatch.setenv("SOMOS_STACK", "1")
    assert gateway.call("GET /_local/people", headers={"Host": "evil.example"}).json() == {"people": []}
    tunnel = {"Host": "localhost", "X-Forwarded-For": "203.0.113.7"}
    assert gateway.call("GET /_local/people", headers=tunnel).json() == {"people": []}


@pytest.mark.parametrize("peer", ["192.168.1.20", "172.17.0.1", "::ffff:192.168.1.20", ""])
def test_the_people_of_the_stack_are_not_told_to_the_network_around(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, peer: str
) -> None:
    monkeypatch.setenv("SOMOS_STACK", "1")
    asked = Call("GET", "/_local/people", "", [(b"host", b"localhost:8080")], peer)
    assert json.loads(gateway.app._pages.answer(asked).body) == {"people": []}


@pytest.mark.any_day
def test_a_socket_at_the_gateways_own_port_hears_what_is_for_its_person(gateway: Gateway) -> None:
    ana, bia = gateway.mesh.person("Comercial"), gateway.mesh.person("Comercial")

    async def story() -> None:
        url = f"ws://127.0.0.1:{gateway.port}/ws"
        async with connect(url) as ws, connect(url, subprotocols=["somos", bia.token]) as other:  # type: ignore[list-item]
            await ws.send(json.dumps({"token": ana.token}))
            assert (await _heard(ws))["user"] == str(ana.id)
            assert other.subprotocol == "somos"
            assert (await _heard(other))["type"] == "ready"
            for to, type_ in ((ana, "deal.opened"), (bia, "for.bia")):
                await _announce(gateway, type_, str(to.id))
            assert (await _heard(ws))["type"] == "deal.opened"
            assert (await _heard(other))["type"] == "for.bia"

    asyncio.run(story())


def test_a_refused_socket_is_closed_with_the_hubs_own_code(gateway: Gateway) -> None:
    async def story() -> None:
        async with connect(f"ws://127.0.0.1:{gateway.port}/ws?token=invented") as ws:
            await ws.wait_closed()
            assert ws.close_code == 4401

    asyncio.run(story())


def test_whoever_is_demoted_hears_no_more(gateway: Gateway) -> None:
    admin, ana = gateway.mesh.person("Admin"), gateway.mesh.person("Diretor", "Ana")

    async def story() -> None:
        async with connect(f"ws://127.0.0.1:{gateway.port}/ws?token={ana.token}") as ws:
            assert (await _heard(ws))["user"] == str(ana.id)
            change = {"role": "Comercial"}
            changed = await asyncio.to_thread(gateway.call, f"PATCH /api/v1/users/{ana.id}", as_=admin, json=change)
            assert changed.status_code == 200
            async with asyncio.timeout(10):
                await ws.wait_closed()
            assert ws.close_code == 4401

    asyncio.run(story())


async def _heard(ws: Any) -> dict[str, Any]:
    async with asyncio.timeout(5):
        message: dict[str, Any] = json.loads(await ws.recv())
        return message


async def _announce(gateway: Gateway, type_: str, user: str) -> None:
    async with Redis.from_url(gateway.mesh.runtime.settings.redis_url) as redis:
        message = {
            "id": "1",
            "type": type_,
            "data": {},
            "at": "2026-01-01T00:00:00Z",
            "to": {"user": user, "roles": []},
        }
        await redis.publish(CHANNEL, json.dumps(message))
