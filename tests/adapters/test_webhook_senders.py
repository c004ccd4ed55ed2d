"""Who a webhook is really from, and when it is the same one again."""

import base64
import hashlib
import hmac
import json

import jwt
import pytest

from somos.adapters.evolution.webhooks import EvolutionWebhooks
from somos.adapters.resend.webhooks import ResendWebhooks
from somos.mesh.problems import Problem
from somos.ports.webhook_sender import Unauthorised
from tests.adapters.conftest import SetClock

TOKEN = "a-long-enough-webhook-token-of-ours-0123456789-0123456789"
KEY = b"an HMAC key of thirty-one bytes"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
RAW = b'{"type":"email.delivered", "data":{"email_id":"1"}}'


@pytest.fixture
def resend(clock: SetClock) -> ResendWebhooks:
    return ResendWebhooks(SECRET, clock)


@pytest.fixture
def evolution(clock: SetClock) -> EvolutionWebhooks:
    return EvolutionWebhooks(TOKEN, clock)


def signed(clock: SetClock, raw: bytes = RAW, key: bytes = KEY, late: int = 0) -> dict[str, str]:
    at = int(clock().timestamp()) + late
    mac = hmac.new(key, f"msg_1.{at}.".encode() + raw, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"Svix-Id": "msg_1", "Svix-Timestamp": str(at), "Svix-Signature": signature}


def test_the_very_bytes_that_were_signed_are_accepted(resend: ResendWebhooks, clock: SetClock) -> None:
    resend.verify(signed(clock), RAW)


def test_the_same_json_in_other_bytes_is_not(resend: ResendWebhooks, clock: SetClock) -> None:
    with pytest.raises(Unauthorised):
        resend.verify(signed(clock), json.dumps(json.loads(RAW)).encode().replace(b'", "', b'","'))


def test_another_key_is_not_accepted(resend: ResendWebhooks, clock: SetClock) -> None:
    with pytest.raises(Unauthorised):
        resend.verify(signed(clock, key=b"somebody else's key"), RAW)


@pytest.mark.parametrize("late", [-300, -1, 0, 300])
def test_five_minutes_either_way_are_tolerated(resend: ResendWebhooks, clock: SetClock, late: int) -> None:
    resend.verify(signed(clock, late=late), RAW)


@pytest.mark.parametrize("late", [-301, 301, -86400])
def test_a_timestamp_further_away_is_not(resend: ResendWebhooks, clock: SetClock, late: int) -> None:
    with pytest.raises(Unauthorised):
        resend.verify(signed(clock, late=late), RAW)


def test_any_one_of_several_signatures_is_enough(resend: ResendWebhooks, clock: SetClock) -> None:
    headers = signed(clock)
    headers["Svix-Signature"] = f"v1,AAAA v1a,xyz {headers['Svix-Signature']} v2,BBBB"
    resend.verify(headers, RAW)


def test_a_right_signature_under_another_version_does_not_count(resend: ResendWebhooks, clock: SetClock) -> None:
    headers = signed(clock)
    headers["Svix-Signature"] = headers["Svix-Signature"].replace("v1,", "v2,")
    with pytest.raises(Unauthorised):
        resend.verify(headers, RAW)


def test_a_secret_without_its_padding_is_the_same_secret(clock: SetClock) -> None:
    assert SECRET.endswith("=")
    ResendWebhooks(SECRET.rstrip("="), clock).verify(signed(clock), RAW)


@pytest.mark.parametrize("missing", ["Svix-Id", "Svix-Timestamp", "Svix-Signature"])
def test_a_missing_header_is_no_signature(resend: ResendWebhooks, clock: SetClock, missing: str) -> None:
    headers = signed(clock)
    del headers[missing]
    with pytest.raises(Unauthorised):
        resend.verify(headers, RAW)


@pytest.mark.parametrize("at", ["", "soon", "1e9", "-5", "²", "99999999999999999999999999"])
def test_a_timestamp_that_is_none_is_refused(resend: ResendWebhooks, clock: SetClock, at: str) -> None:
    with pytest.raises(Unauthorised):
        resend.verify({**signed(clock), "Svix-Timestamp": at}, RAW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!"])
def test_without_a_secret_nothing_is_accepted_and_the_sender_comes_again(clock: SetClock, secret: str) -> None:
    with pytest.raises(Problem) as raised:
        ResendWebhooks(secret, clock).verify(signed(clock, key=b""), RAW)
    assert raised.value.status == 503


def test_a_resend_report_is_known_by_its_id_whatever_its_body(resend: ResendWebhooks, clock: SetClock) -> None:
    assert resend.dedupe(signed(clock), {"a": 1}) == resend.dedupe(signed(clock, late=9), {"a": 2}) == "msg_1"


# --- Evolution


def token(clock: SetClock, key: str = TOKEN, algorithm: str = "HS256", age: float = 0, **claims: object) -> str:
    made = clock().timestamp() - age
    told = {"iat": made, "exp": made + 600, "app": "evolution", "action": "webhook", **claims}
    return "Bearer " + jwt.encode({k: v for k, v in told.items() if v is not None}, key, algorithm)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer {TOKEN}"},
        {"X-Webhook-Token": TOKEN},
        {"Authorization": "Basic abc", "x-webhook-token": TOKEN},
    ],
)
def test_the_agreed_token_is_accepted(evolution: EvolutionWebhooks, headers: dict[str, str]) -> None:
    evolution.verify(headers, b"{}")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"X-Webhook-Token": "tókén"},
        {"apikey": TOKEN},
    ],
)
def test_anything_else_is_not(evolution: EvolutionWebhooks, headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorised):
        evolution.verify(headers, b"{}")


@pytest.mark.parametrize("age", [0, 599, 601, 2000])
def test_a_signed_token_is_accepted_also_on_a_late_retry(
    evolution: EvolutionWebhooks, clock: SetClock, age: float
) -> None:
    evolution.verify({"Authorization": token(clock, age=age)}, b"{}")


def test_a_signed_token_does_not_live_for_ever(evolution: EvolutionWebhooks, clock: SetClock) -> None:
    with pytest.raises(Unauthorised):
        evolution.verify({"Authorization": token(clock, age=2401)}, b"{}")


@pytest.mark.parametrize(
    "other",
    [
        {"key": "somebody-elses-key-somebody-elses-key"},
        {"app": "another"},
        {"action": "login"},
        {"exp": None},
        {"algorithm": "HS384"},
    ],
)
def test_a_token_signed_for_anything_else_is_refused(
    evolution: EvolutionWebhooks, clock: SetClock, other: dict[str, str]
) -> None:
    with pytest.raises(Unauthorised):
        evolution.verify({"Authorization": token(clock, **other)}, b"{}")  # type: ignore[arg-type]


def test_an_unsigned_token_is_refused(evolution: EvolutionWebhooks, clock: SetClock) -> None:
    claims = {"exp": clock().timestamp() + 600, "app": "evolution", "action": "webhook"}
    with pytest.raises(Unauthorised):
        evolution.verify({"Authorization": "Bearer " + jwt.encode(claims, "", "none")}, b"{}")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"X-Webhook-Token": ""}])
def test_without_a_token_of_ours_nothing_is_accepted(clock: SetClock, headers: dict[str, str]) -> None:
    with pytest.raises(Problem) as raised:
        EvolutionWebhooks("", clock).verify(headers, b"{}")
    assert raised.value.status == 503


def report(event: str, data: dict[str, object], **more: object) -> dict[str, object]:
    return {"event": event, "instance": "loja", "data": data, "date_time": "2026-01-01T09:00:00.000Z", **more}


def test_one_message_in_one_status_is_one_report(evolution: EvolutionWebhooks) -> None:
    known = {
        evolution.dedupe({}, report("messages.upsert", {"key": {"id": "A"}, "status": "DELIVERY_ACK"})),
        evolution.dedupe({}, report("messages.upsert", {"key": {"id": "B"}, "status": "DELIVERY_ACK"})),
        evolution.dedupe({}, report("messages.update", {"keyId": "A", "status": "DELIVERY_ACK"})),
        evolution.dedupe({}, report("messages.update", {"keyId": "A", "status": "READ"})),
        evolution.dedupe({}, report("messages.update", {"keyId": "A", "status": "READ"}, sender="x", date_time="y")),
        evolution.dedupe({}, report("messages.update", {"keyId": "A", "status": "READ"}, instance="outra")),
    }
    assert len(known) == 5


def test_a_report_about_no_message_is_known_by_what_it_says_and_when(evolution: EvolutionWebhooks) -> None:
    up = report("connection.update", {"state": "open"})
    assert evolution.dedupe({}, up) == evolution.dedupe({}, {**up, "apikey": "changes"})
    assert evolution.dedupe({}, up) != evolution.dedupe({}, {**up, "date_time": "later"})
    assert evolution.dedupe({}, up) != evolution.dedupe({}, report("connection.update", {"state": "close"}))


@pytest.mark.parametrize(
    "picture",
    [
        "data:image/jpeg;base64," + "/9j/4AAQ" * 2_000_000,
        {str(number): number % 256 for number in range(1_500_000)},
        {"type": "Buffer", "data": [255] * 4_000_000},
    ],
    ids=["base64", "numbered", "listed"],
)
def test_of_fifteen_megabytes_of_picture_only_the_words_are_kept(evolution: EvolutionWebhooks, picture: object) -> None:
    words = {"imageMessage": {"caption": "parar", "mimetype": "image/jpeg"}}
    event = {"event": "messages.upsert", "data": {"message": words}}
    words["imageMessage"]["jpegThumbnail"] = picture
    raw = json.dumps(event, separators=(",", ":")).encode()
    assert len(raw) > 15_000_000
    kept = evolution.slim(raw)
    assert len(kept) < 1_000
    assert json.loads(kept)["data"]["message"]["imageMessage"]["caption"] == "parar"


def test_what_is_no_picture_is_kept_as_it_is(evolution: EvolutionWebhooks) -> None:
    said = {"text": "Olá, " * 2000, "list": list(range(40)), "numbered": {"0": 1, "1": 2}, "phone": "5511955550101"}
    raw = json.dumps(said, separators=(",", ":")).encode()
    assert evolution.slim(raw) == raw


def test_the_same_message_in_other_words_is_another_report(evolution: EvolutionWebhooks) -> None:
    def told(event: str, **data: object) -> str:
        return evolution.dedupe({}, {"event": event, "instance": "somos", "data": {"key": {"id": "A"}, **data}})

    undecrypted = told("messages.upsert", message=None)
    assert undecrypted != told("messages.upsert", message={"conversation": "parar"})
    edits = [told("messages.edited", editedMessage={"conversation": words}) for words in ("sim", "não", "sim")]
    assert edits[0] == edits[2] != edits[1]
