"""What nobody means well: no header and no body makes a function break, whoever sends it."""

import base64
import json
from collections.abc import Iterator

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from tests.harness.mesh import Mesh, Person

HEADERS = (
    "Authorization", "Ce-Type", "Ce-Id", "Ce-Event", "Ce-Signature", "Ce-Function", "Ce-Timeout", "Ce-Actor",
    "Content-Type", "Content-Length", "Cookie", "Idempotency-Key", "If-Match", "If-None-Match", "Accept", "Host",
    "Traceparent", "X-Connector", "X-Real-Ip", "X-Forwarded-For", "X-Webhook-Token", "Svix-Id", "Svix-Timestamp",
    "Svix-Signature", "User-Agent", "Range", "X-Callback-Url",
)  # fmt: skip
DEEP = "[" * 50_000
DEEP_PART = base64.urlsafe_b64encode(DEEP.encode()).decode().rstrip("=")
VALUES = (
    "", " ", "ação", "é" * 300, "²", "Ù£", "9" * 400, "9" * 5_000, "-1", "NaN", "1e999",
    "Bearer é", "Bearer " + "a" * 9_000, f"Bearer {DEEP_PART}.{DEEP_PART}.x", "Bearer eyJhbGciOiJub25lIn0.e30.",
    "Basic é", "t=é,v1=é", "t=²,v1=0", "t=" + "9" * 400 + ",v1=0", "t=" + "9" * 5_000 + ",v1=0", "v1,é", "W/\"²\"",
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=é; charset=klingon",
    "application/json; charset=klingon", "%zz%", "a=b; a=b; =; ;", "00-" + "z" * 32 + "-x-01",
)  # fmt: skip
ASKED = (
    "GET /api/v1/tags", "POST /api/v1/tags", "PATCH /api/v1/tags/0190c3c0-0000-7000-8000-000000000001",
    "POST /api/v1/auth/login", "POST /api/v1/auth/refresh", "POST /api/v1/imports", "POST /webhook/whatsapp",
    "POST /webhook/email", "POST /", "GET /api/v1/unsubscribe/%C3%A9",
)  # fmt: skip


@pytest.fixture
def director(mesh: Mesh) -> Person:
    return mesh.person("Diretor")


def sent(what: str, name: str, value: str, person: Person | None) -> Request:
    method, path = what.split(" ")
    environ = EnvironBuilder(path, method=method, data=b"{}", content_type="application/json").get_environ()
    if person is not None:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {person.token}"
    key = "HTTP_" + name.upper().replace("-", "_")
    environ[key if name not in ("Content-Type", "Content-Length") else key.removeprefix("HTTP_")] = value
    return Request(environ)


@pytest.mark.parametrize("what", ["POST /api/v1/tags", "POST /api/v1/auth/refresh", "POST /webhook/email", "POST /"])
def test_no_header_breaks_a_function(mesh: Mesh, director: Person, what: str) -> None:
    person = director if what.endswith("tags") else None
    for name in HEADERS:
        for value in VALUES:
            answer = mesh.app(sent(what, name, value, person))
            assert answer.status_code != 500, (what, name, value[:60])


def test_a_delivery_that_nobody_signed_is_refused_whatever_its_signature_holds(mesh: Mesh) -> None:
    for value in VALUES:
        request = sent("POST /", "Ce-Signature", value, None)
        request.environ["HTTP_CE_TYPE"] = "hunter.lead_found"
        assert mesh.app(request).status_code == 401, value[:60]


def bodies() -> Iterator[tuple[str, bytes]]:
    for text in (
        DEEP, '{"a":' * 50_000, '{"email": "a\\ud800", "password": "\\udfff"}', '{"name": "\\ud83d"}',
        '{"name": "\\u0000"}', '{"name": ' + "9" * 5_000 + "}", '{"name": NaN}', '{"name": 1e999}',
        '{"name": "a", "name": "b"}', "nul", '"', "null",
        '{"event": "messages.upsert", "instance": "somos", "data": ' + DEEP + "]" * 50_000 + "}",
        '{"email": "' + "a" * 60_000 + '", "password": "x"}',
    ):  # fmt: skip
        yield "application/json", text.encode()
    yield "application/json", b'{"name": "\xff\xfe"}'
    yield "application/json", b'{"name": "\xed\xa0\x80"}'
    part = b"--x\r\nContent-Disposition: form-data; name=file"
    for form in (
        part + b"\r\n\r\n",
        (part + b"\r\n\r\nb\r\n") * 2_000 + b"--x--",
        b"--x\r\n" + b"A: b\r\n" * 5_000,
        part + b"; filename*=utf-8''%ff\r\n\r\na\r\n--x--",
    ):
        yield "multipart/form-data; boundary=x", form
    yield "text/csv", b"\xff\xfe\x00\xd8"
    yield "text/csv", b'"' * 10_000


@pytest.mark.parametrize("what", [one for one in ASKED if not one.startswith("GET")])
def test_no_body_breaks_a_function(mesh: Mesh, director: Person, what: str) -> None:
    token = {"X-Webhook-Token": mesh.runtime.settings.outside["EVOLUTION_WEBHOOK_TOKEN"]}
    for kind, raw in bodies():
        for person in (None, director):
            answer = mesh.call(what, as_=person, data=raw, content_type=kind, headers=token)
            assert answer.status != 500, (what, kind, raw[:60], answer.text)


def test_no_query_breaks_a_function(mesh: Mesh, director: Person) -> None:
    cursor = base64.urlsafe_b64encode(DEEP.encode()).decode()
    odd = base64.urlsafe_b64encode(json.dumps(["-id", "\ud800", "\x00"]).encode()).decode()
    queries = (
        f"cursor={cursor}", f"cursor={odd}", "cursor=%ff", "limit=" + "9" * 5_000, "limit=²", "q=%00", "q=%ed%a0%80",
        "%", "=", "&&&", "q=" + "a" * 50_000, "sort=%C3%A9", "limit=NaN", "name=a&name=b",
    )  # fmt: skip
    for query in queries:
        for path in ("/api/v1/tags", "/api/v1/deals", "/api/v1/leads", "/api/v1/crm/search"):
            answer = mesh.call(f"GET {path}?{query}", as_=director)
            assert answer.status != 500, (path, query[:60], answer.text)
