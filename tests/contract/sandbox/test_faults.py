"""Faults on request, for every provider, exactly as often as asked."""

import time

import pytest
import requests

from infra.sandbox.serve import Sandbox

from .conftest import Call, World

ANA = "5511955550101"


def test_a_fault_happens_as_often_as_asked_and_only_on_its_path(whatsapp: Call, evolution: Call, world: World) -> None:
    world.post("faults", provider="evolution", path="/message", kind="status", status=500, times=2)
    assert evolution("GET", "/instance/connectionState/somos").status_code == 200
    assert [whatsapp(ANA).status_code for _ in range(3)] == [500, 500, 201]
    assert len(world.get("sent")) == 1
    assert world.get("faults") == []


@pytest.mark.parametrize("provider", ["resend", "openai", "serpapi", "evolution"])
def test_a_429_has_the_providers_own_words(
    world: World, email: Call, ask: Call, search: Call, whatsapp: Call, provider: str
) -> None:
    world.post("faults", provider=provider, kind="status", status=429, headers={"retry-after": "3"})
    calls = {
        "resend": lambda: email("a@b-exemplo.com.br"),
        "openai": lambda: ask("oi"),
        "serpapi": lambda: search(q="x"),
        "evolution": lambda: whatsapp(ANA),
    }
    answer = calls[provider]()
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "3"
    body = answer.json()
    assert body.get("name") == "rate_limit_exceeded" or "error" in body


def test_a_permanent_429_is_given_word_for_word(world: World, ask: Call) -> None:
    said = {"error": {"message": "Quota", "type": "insufficient_quota", "param": None, "code": "insufficient_quota"}}
    world.post("faults", provider="openai", kind="status", status=429, body=said)
    assert ask("oi").json() == said


def test_a_malformed_answer_is_cut_json_after_the_work_was_done(whatsapp: Call, world: World) -> None:
    world.post("faults", provider="evolution", kind="malformed")
    answer = whatsapp(ANA)
    assert answer.status_code == 201
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert len(world.get("sent")) == 1


def test_a_lost_answer_closes_the_line_after_the_work_was_done(whatsapp: Call, world: World) -> None:
    world.post("faults", provider="evolution", kind="lost")
    with pytest.raises(requests.ConnectionError):
        whatsapp(ANA)
    assert len(world.get("sent")) == 1
    assert whatsapp(ANA).status_code == 201


def test_a_slow_answer_makes_an_impatient_caller_leave_but_the_work_is_done(sandbox: Sandbox, world: World) -> None:
    world.post("faults", provider="cnpj", kind="slow", ms=300)
    started = time.perf_counter()
    with pytest.raises(requests.Timeout):
        requests.get(f"{sandbox.url}/cnpj/98000101000167", timeout=0.1)
    assert requests.get(f"{sandbox.url}/cnpj/98000101000167", timeout=5).ok
    assert time.perf_counter() - started < 3


def test_a_site_can_fail_by_host(sandbox: Sandbox, world: World) -> None:
    world.post("faults", provider="sites", path="www.horizonte-exemplo.com.br/sobre", kind="status", status=503)
    url = "http://www.horizonte-exemplo.com.br"
    assert requests.get(f"{url}/", proxies=sandbox.proxies).status_code == 200
    assert requests.get(f"{url}/sobre", proxies=sandbox.proxies).status_code == 503


def test_calls_are_counted_by_provider_path_and_status(whatsapp: Call, world: World, search: Call) -> None:
    whatsapp(ANA)
    whatsapp("5511")
    search(q="x", engine="google")
    counted = world.get("calls")
    assert counted["totals"] == {"evolution": 2, "serpapi": 1}
    assert {(c["path"], c["status"]) for c in counted["calls"] if c["provider"] == "evolution"} == {
        ("/message/sendText/somos", 201),
        ("/message/sendText/somos", 400),
    }


def test_an_unknown_fault_is_refused(sandbox: Sandbox) -> None:
    for body in ({"provider": "nasa", "kind": "slow"}, {"provider": "resend", "kind": "strange"}, [1]):
        assert requests.post(f"{sandbox.url}/_world/faults", json=body).status_code == 400
