"""How much of a body is read: what each route declares, whether or not the sender says how long it is."""

from io import BytesIO

import pytest
from werkzeug.wrappers import Request

from somos.mesh import bodies
from somos.mesh.declare import Function
from somos.mesh.problems import TooLarge
from tests.harness.mesh import Mesh


class Endless:
    """A sender who never stops, and how much was taken from it."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= 1_000_000, "read without a bound"
        self.taken += size
        return b"x" * size

    def readinto(self, buffer: bytearray) -> int:
        buffer[:] = self.read(len(buffer))
        return len(buffer)


def chunked(stream: object, path: str = "/", **headers: str) -> Request:
    """As of-watchdog forwards: in chunks, without a length."""
    return Request(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "SERVER_NAME": "unit",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": stream,
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
            **headers,
        }
    )


def test_a_body_that_says_no_length_is_refused_before_more_than_its_limit_is_in_memory() -> None:
    sender = Endless()
    with pytest.raises(TooLarge):
        bodies.bound(chunked(sender), 100_000)
    assert sender.taken < 300_000


def test_a_body_of_exactly_its_limit_is_read_and_can_be_read_again() -> None:
    request = chunked(BytesIO(b"x" * 100_000))
    bodies.bound(request, 100_000)
    assert request.get_data() == request.get_data() == b"x" * 100_000
    with pytest.raises(TooLarge):
        bodies.bound(chunked(BytesIO(b"x" * 100_001)), 100_000)


def test_a_body_that_says_its_length_is_refused_before_any_of_it_is_read() -> None:
    sender = Endless()
    with pytest.raises(TooLarge):
        bodies.bound(chunked(sender, CONTENT_LENGTH="100001", HTTP_TRANSFER_ENCODING=""), 100_000)
    assert sender.taken == 0


@pytest.fixture
def routes(mesh: Mesh) -> list[tuple[str, dict[str, str]]]:
    """One address of each kind, and what it needs to get as far as its body."""
    director = {"HTTP_AUTHORIZATION": f"Bearer {mesh.person('Diretor').token}"}
    return [
        ("/api/v1/auth/login", {"CONTENT_TYPE": "application/json"}),
        ("/api/v1/tags", {**director, "CONTENT_TYPE": "application/json"}),
        ("/api/v1/imports", {**director, "CONTENT_TYPE": "text/csv"}),
        ("/api/v1/imports", {**director, "CONTENT_TYPE": "multipart/form-data; boundary=x"}),
        (
            "/webhook/whatsapp",
            {"HTTP_AUTHORIZATION": f"Bearer {mesh.runtime.settings.outside['EVOLUTION_WEBHOOK_TOKEN']}"},
        ),
        ("/", {"HTTP_CE_TYPE": "hunter.lead_found", "HTTP_CE_SIGNATURE": "t=1,v1=0"}),
    ]


def test_every_kind_of_route_refuses_a_body_without_end(mesh: Mesh, routes: list[tuple[str, dict[str, str]]]) -> None:
    for path, headers in routes:
        sender = Endless()
        answer = mesh.app(chunked(sender, path, **headers))
        # Who sends a webhook repeats it on 413, and gives it up on 422.
        expected = 422 if path.startswith("/webhook/") else 413
        assert answer.status_code == expected, (path, answer.get_data(as_text=True))
        assert sender.taken < 26_000_000, path


def test_only_what_is_declared_larger_takes_more_than_json(mesh: Mesh) -> None:
    def largest(function: Function) -> int:
        return max([one.max_bytes for one in (*function.endpoints, *function.webhooks)], default=0)

    larger = {name for name, function in mesh.functions.items() if largest(function) > bodies.JSON}
    assert larger >= {"crm-imports", "hunter-leads"}
    assert largest(mesh.functions["auth-login"]) == bodies.ANONYMOUS
