"""What is retried, what never is, and what an answer that did not come means."""

import io
import json
import traceback
from collections.abc import Callable

import pytest

from somos.adapters.http import ResilientClient
from somos.adapters.provider import Rate
from somos.adapters.resilience import Kind
from somos.ports.errors import (
    NotConfigured,
    OutsideError,
    Refused,
    Throttled,
    Transient,
    Unknown,
)
from tests.adapters.conftest import closed_port
from tests.adapters.provider import Provider, Reply

Make = Callable[..., ResilientClient]

SECRET = "s3cr3t-key"
PRIVATE = {"api_key": SECRET, "q": "private words"}
FINE = Reply(200, {"ok": True})
BROKEN = Reply(500, {"error": "internal"})
LOST = Reply(manner="lost")


def ask(client: ResilientClient, kind: Kind) -> object:
    return client.call("operation", kind, "POST", "/path", body={"a": 1}).data


def error_of(client: ResilientClient, kind: Kind) -> OutsideError:
    with pytest.raises(OutsideError) as raised:
        ask(client, kind)
    return raised.value


@pytest.mark.parametrize("kind", ["read", "keyed"])
@pytest.mark.parametrize("trouble", [BROKEN, LOST, Reply(429, headers={"Retry-After": "1"}), Reply(200, "<html>")])
def test_a_call_that_may_be_repeated_is_tried_three_times(
    client: Make, provider: Provider, kind: Kind, trouble: Reply
) -> None:
    provider.will(trouble, trouble, FINE)
    assert ask(client(), kind) == {"ok": True}
    assert len(provider.asked) == 3


@pytest.mark.parametrize("kind", ["read", "keyed"])
def test_three_tries_are_all(client: Make, provider: Provider, kind: Kind) -> None:
    provider.will(BROKEN)
    error_of(client(), kind)
    assert len(provider.asked) == 3


@pytest.mark.parametrize(
    "trouble",
    [BROKEN, LOST, Reply(429), Reply(503), Reply(200, "<html>"), Reply(200, {"a": "b" * 99}, manner="half"),
     Reply(408), Reply(400)],
)  # fmt: skip
def test_a_call_without_a_key_leaves_exactly_once(client: Make, provider: Provider, trouble: Reply) -> None:
    provider.will(trouble, FINE)
    error_of(client(), "once")
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    "trouble", [BROKEN, LOST, Reply(200, "<html>"), Reply(200, {"a": "b" * 99}, manner="half"), Reply(408)]
)
def test_after_the_request_left_silence_is_unknown_for_an_effect_and_harmless_for_a_read(
    client: Make, provider: Provider, trouble: Reply
) -> None:
    provider.will(trouble)
    assert type(error_of(client(), "once")) is Unknown
    assert type(error_of(client(), "keyed")) is Unknown
    assert type(error_of(client(), "read")) is Transient


def test_an_answer_that_takes_too_long_is_lost(client: Make, provider: Provider) -> None:
    provider.will(Reply(manner="mute"))
    error = error_of(client(timeout=0.3), "once")
    assert type(error) is Unknown
    assert error.code == "answer-lost"


def test_a_byte_now_and_then_does_not_hold_a_call_for_ever(client: Make, provider: Provider) -> None:
    provider.will(Reply(200, {"long": "x" * 2000}, manner="drip"))
    assert error_of(client(timeout=0.3), "once").code == "answer-lost"


def test_an_answer_without_end_is_not_read_to_the_end(client: Make, provider: Provider) -> None:
    provider.will(Reply(200, b" " * (11 * 1024 * 1024)))
    assert error_of(client(), "once").code == "answer-lost"


@pytest.mark.parametrize("kind", ["read", "keyed", "once"])
def test_a_request_that_could_not_leave_had_no_effect(client: Make, kind: Kind) -> None:
    error = error_of(client(url=f"http://127.0.0.1:{closed_port()}"), kind)
    assert type(error) is Transient
    assert error.code == "unreachable"


def test_a_lost_first_answer_keeps_the_outcome_unknown_whatever_comes_later(client: Make, provider: Provider) -> None:
    provider.will(LOST, Reply(429, headers={"Retry-After": "1"}))
    assert type(error_of(client(), "keyed")) is Unknown


def test_a_plain_no_under_the_same_key_settles_a_lost_answer(client: Make, provider: Provider) -> None:
    provider.will(LOST, Reply(422, {"name": "invalid"}))
    assert type(error_of(client(), "keyed")) is Refused


def test_waits_double_with_jitter(client: Make, provider: Provider) -> None:
    provider.will(BROKEN)
    waits: list[float] = []
    error_of(client(waits=waits), "read")
    assert len(waits) == 2
    assert 2 <= waits[0] <= 3
    assert 4 <= waits[1] <= 5


def test_retry_after_is_obeyed(client: Make, provider: Provider) -> None:
    provider.will(Reply(429, headers={"Retry-After": "7"}), Reply(503, headers={"Retry-After": "9"}), FINE)
    waits: list[float] = []
    ask(client(waits=waits), "read")
    assert 7 <= waits[0] <= 8
    assert waits[1] == 9


def test_a_wait_longer_than_ours_is_left_to_the_caller(client: Make, provider: Provider) -> None:
    provider.will(Reply(429, headers={"Retry-After": "120"}))
    error = error_of(client(), "read")
    assert type(error) is Throttled
    assert error.retry_after == 120
    assert len(provider.asked) == 1


def test_the_scale_takes_the_waits_away(client: Make, provider: Provider) -> None:
    provider.will(BROKEN)
    waits: list[float] = []
    error_of(client(waits=waits, scale=0), "read")
    assert waits == [0, 0]


def test_outages_open_the_circuit_and_then_nothing_leaves(client: Make, provider: Provider) -> None:
    provider.will(BROKEN)
    for _ in range(5):
        error_of(client(), "once")
    error = error_of(client(), "once")
    assert type(error) is Transient
    assert error.code == "circuit-open"
    assert len(provider.asked) == 5


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429])
def test_our_own_mistakes_do_not_open_the_circuit(client: Make, provider: Provider, status: int) -> None:
    provider.will(Reply(status, {"error": "no"}))
    for _ in range(10):
        assert error_of(client(), "once").code != "circuit-open"


def test_an_answer_closes_what_lost_answers_began(client: Make, provider: Provider) -> None:
    provider.will(LOST, LOST, LOST, LOST, Reply(422, {}), LOST, LOST, LOST, LOST, FINE)
    for _ in range(9):
        error_of(client(), "once")
    assert ask(client(), "once") == {"ok": True}


def test_our_own_rate_delays_a_call_and_then_turns_it_away(client: Make, provider: Provider) -> None:
    provider.will(FINE)
    waits: list[float] = []
    slow = client(rate=Rate(1, 1.5), waits=waits)
    ask(slow, "once")
    ask(slow, "once")
    assert 1 < waits[0] <= 1.5
    assert error_of(slow, "once").code == "own-rate"
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [(302, NotConfigured), (401, NotConfigured), (403, NotConfigured), (404, Refused), (422, Refused)],
)
def test_what_a_status_means(client: Make, provider: Provider, status: int, kind: type) -> None:
    provider.will(Reply(status, {}, headers={"Location": f"{provider.url}/elsewhere"}))
    error = error_of(client(), "once")
    assert type(error) is kind
    assert error.status == status
    assert [asked.path for asked in provider.asked] == ["/path"]


def test_an_answer_holds_nothing_that_the_database_cannot(client: Make, provider: Provider) -> None:
    provider.will(Reply(200, rb'{"name": "Ag\u00eancia\u0000 \ud83d\ude00\ud83d"}'))
    assert ask(client(), "read") == {"name": "Agência 😀"}


@pytest.mark.parametrize("address", ["not an address", "ftp://example.com", "http://"])
def test_an_impossible_address_is_a_matter_of_configuration(client: Make, address: str) -> None:
    assert type(error_of(client(url=address), "read")) is NotConfigured


def test_cookies_are_not_kept(client: Make, provider: Provider) -> None:
    provider.will(Reply(200, {}, headers={"Set-Cookie": "session=1"}))
    same = client()
    ask(same, "read")
    ask(same, "read")
    assert "cookie" not in provider.asked[1].headers


def test_each_call_is_one_line_that_says_what_happened(client: Make, provider: Provider, told: io.StringIO) -> None:
    provider.will(BROKEN, FINE)
    ask(client(), "read")
    (line,) = [json.loads(line) for line in told.getvalue().splitlines() if "outside_call" in line]
    assert line["provider"] == "provider"
    assert line["operation"] == "operation"
    assert (line["outcome"], line["status"], line["tries"]) == ("ok", 200, 2)
    assert line["ms"] >= 0


@pytest.mark.parametrize("trouble", [FINE, BROKEN, LOST, Reply(401, {"error": "bad key s3cr3t-key"}), Reply(200, "<")])
def test_a_secret_reaches_neither_logs_nor_tracebacks(
    client: Make, provider: Provider, trouble: Reply, told: io.StringIO
) -> None:
    provider.will(trouble)
    seen = ""
    for url in ("", f"http://127.0.0.1:{closed_port()}"):
        keyed = client(url=url, headers={"Authorization": f"Bearer {SECRET}"})
        try:
            keyed.call("search", "read", "GET", "/search", params=PRIVATE)
        except OutsideError as error:
            seen += "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    seen += told.getvalue()
    assert "outside_call" in seen
    assert "s3cr3t-key" not in seen
    assert "private words" not in seen
    assert "private+words" not in seen
