"""E-mail: which of Resend's answers mean what, and that a key never sends twice."""

from collections.abc import Callable

import pytest

from somos.adapters.http import ResilientClient
from somos.adapters.resend.email import Resend
from somos.ports.email import Email
from somos.ports.errors import NotConfigured, OutsideError, QuotaExhausted, Refused, Throttled, Transient, Unknown
from somos.wiring import Wiring
from tests.adapters.conftest import World
from tests.adapters.provider import Provider, Reply

Make = Callable[..., ResilientClient]


@pytest.fixture
def resend(client: Make) -> Resend:
    return Resend(client(headers={"Authorization": "Bearer re_k"}))


def send(email: Email, key: str = "key-1", to: str = "ana@horizonte-exemplo.com.br") -> str:
    return email.send("Somos <oi@somos-exemplo.com.br>", to, "Olá", "Oi, Ana", key).provider_id


def refusal(status: int, name: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, {"statusCode": status, "name": name, "message": "..."}, headers or {})


@pytest.mark.parametrize(
    ("reply", "kind", "code", "tries"),
    [
        (refusal(400, "validation_error"), Refused, "validation_error", 1),
        (refusal(400, "invalid_idempotency_key"), Refused, "invalid_idempotency_key", 1),
        (refusal(401, "missing_api_key"), NotConfigured, "key-refused", 1),
        (refusal(401, "restricted_api_key"), NotConfigured, "key-refused", 1),
        (refusal(403, "invalid_api_key"), NotConfigured, "key-refused", 1),
        (refusal(403, "validation_error"), NotConfigured, "domain-not-verified", 1),
        (refusal(404, "not_found"), NotConfigured, "bad-address", 1),
        (refusal(405, "method_not_allowed"), NotConfigured, "bad-address", 1),
        (refusal(409, "invalid_idempotent_request"), Refused, "invalid_idempotent_request", 1),
        (refusal(409, "concurrent_idempotent_requests"), Transient, "concurrent_idempotent_requests", 3),
        (refusal(422, "missing_required_field"), Refused, "missing_required_field", 1),
        (refusal(422, "invalid_access"), Refused, "invalid_access", 1),
        (refusal(429, "rate_limit_exceeded", {"retry-after": "1"}), Throttled, "throttled", 3),
        (refusal(429, "daily_quota_exceeded"), QuotaExhausted, "daily_quota_exceeded", 1),
        (refusal(429, "monthly_quota_exceeded"), QuotaExhausted, "monthly_quota_exceeded", 1),
        (refusal(451, "security_error"), Refused, "security_error", 1),
        (refusal(500, "application_error"), Unknown, "provider-failed", 3),
        (Reply(502, "<h1>Bad Gateway</h1>"), Unknown, "provider-failed", 3),
        (Reply(200, "<html>"), Unknown, "malformed", 3),
        (Reply(200, {}), Unknown, "malformed", 3),
        (Reply(manner="lost"), Unknown, "answer-lost", 3),
    ],
)
def test_what_an_answer_means(
    resend: Resend, provider: Provider, reply: Reply, kind: type, code: str, tries: int
) -> None:
    provider.will(reply)
    with pytest.raises(OutsideError) as raised:
        send(resend)
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert len(provider.asked) == tries


def test_all_tries_carry_one_key_and_the_same_bytes(resend: Resend, provider: Provider) -> None:
    provider.will(refusal(500, "application_error"), Reply(manner="lost"), Reply(200, {"id": "e-1"}))
    sent = resend.send(
        "a@b.com", "c@d.com", "Assunto", "Texto", "key-1", "<p>Texto</p>", {"List-Unsubscribe": "<https://x.com.br>"}
    )
    assert sent.provider_id == "e-1"
    assert {asked.headers["idempotency-key"] for asked in provider.asked} == {"key-1"}
    assert len({asked.body for asked in provider.asked}) == 1
    assert provider.asked[0].path == "/emails"
    assert provider.asked[0].headers["authorization"] == "Bearer re_k"
    assert provider.asked[0].headers["user-agent"].startswith("somos/")
    assert provider.asked[0].json == {
        "from": "a@b.com",
        "to": ["c@d.com"],
        "subject": "Assunto",
        "text": "Texto",
        "html": "<p>Texto</p>",
        "headers": {"List-Unsubscribe": "<https://x.com.br>"},
    }


def test_a_key_longer_than_resend_takes_is_shortened_always_the_same(resend: Resend, provider: Provider) -> None:
    provider.will(Reply(200, {"id": "e-1"}))
    for _ in range(2):
        send(resend, key="k" * 300)
    keys = [asked.headers["idempotency-key"] for asked in provider.asked]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 64


def test_in_the_sandbox_an_e_mail_whose_answer_was_lost_is_sent_once(wiring: Wiring, world_now: World) -> None:
    world_now.fault("resend", "lost", path="/emails")
    assert send(wiring.port(Email))
    assert len(world_now.sent("email")) == 1


def test_in_the_sandbox_the_same_key_with_another_text_is_refused(wiring: Wiring, world_now: World) -> None:
    email = wiring.port(Email)
    send(email)
    with pytest.raises(Refused) as raised:
        send(email, to="bruno@farol-exemplo.com.br")
    assert raised.value.code == "invalid_idempotent_request"
    assert len(world_now.sent("email")) == 1


def test_a_mail_that_came_in_is_read(resend: Resend, provider: Provider) -> None:
    body = {"id": "1", "from": "Ana <ana@x.com>", "subject": "Re: Olá", "text": "Oi", "headers": {"In-Reply-To": "<a>"}}
    provider.will(Reply(200, body))
    mail = resend.received("a/b")
    assert mail is not None
    assert (mail.sender, mail.text, mail.headers) == ("Ana <ana@x.com>", "Oi", {"in-reply-to": "<a>"})
    assert provider.asked[0].path == "/emails/receiving/a%2Fb"


def test_a_mail_with_html_only_is_read_as_words(resend: Resend, provider: Provider) -> None:
    html = "<html><head><style>p{}</style></head><body><p>PARAR</p><script>x</script></body></html>"
    provider.will(Reply(200, {"id": "1", "from": "ana@x.com", "html": html, "text": None}))
    mail = resend.received("1")
    assert mail is not None
    assert mail.text == "PARAR"


def test_a_mail_that_the_provider_has_no_more_is_none(resend: Resend, provider: Provider) -> None:
    provider.will(refusal(404, "not_found"))
    assert resend.received("1") is None
