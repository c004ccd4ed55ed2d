"""One request and its answer, between ASGI and the plain values that the gateway's parts take and give."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from werkzeug.wrappers import Response

from somos.mesh.bodies import Scope, Send
from somos.mesh.problems import Problem
from somos.mesh.wsgi_environ import environ

Pairs = list[tuple[str, str]]

# Set by the edge only: what a client sends under these names is dropped.
_OURS = {b"x-real-ip", b"x-call-id", b"x-start-time"}


@dataclass(slots=True)
class Call:
    """What arrived. `headers` are as sent; `path` is decoded."""

    method: str
    path: str
    query: str
    headers: list[tuple[bytes, bytes]]
    client: str
    body: bytes = b""

    def header(self, name: str) -> str:
        lowered = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.headers if key == lowered), "")

    def query_value(self, name: str, default: str = "") -> str:
        """A value of the query string."""
        return parse_qs(self.query).get(name, [default])[-1]

    def json(self) -> Any:
        return json.loads(self.body or b"null")

    def environ(self, path: str, added: dict[str, str]) -> dict[str, Any]:
        """As WSGI puts it; `added` are headers that the gateway states itself."""
        kept = [(name, value) for name, value in self.headers if name not in _OURS]
        return environ(self.method, path, self.query, kept, self.client, self.body, {"X-Real-Ip": self.client, **added})


@dataclass(slots=True)
class Answer:
    """What goes back."""

    status: int = 200
    headers: Pairs = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def of(cls, response: Response) -> "Answer":
        return cls(response.status_code, list(response.headers.items()), response.get_data())

    @classmethod
    def json(cls, content: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> "Answer":
        raw = json.dumps(content, ensure_ascii=False, default=str).encode()
        return cls(status, [("Content-Type", "application/json"), *headers], raw)

    @classmethod
    def problem(cls, problem: Problem) -> "Answer":
        raw = json.dumps(problem.body(), ensure_ascii=False).encode()
        return cls(problem.status, [("Content-Type", "application/problem+json"), *problem.headers.items()], raw)

    @classmethod
    def text(cls, content: str, status: int = 200) -> "Answer":
        return cls(status, [("Content-Type", "text/plain; charset=utf-8")], content.encode())


def call_of(scope: Scope) -> Call:
    """The request, before its body was read."""
    return Call(
        scope["method"],
        scope["path"],
        scope["query_string"].decode("latin-1"),
        scope["headers"],
        (scope.get("client") or ("", 0))[0],
    )


async def write(send: Send, answer: Answer, bare: bool = False) -> None:
    """Send an answer; `bare` leaves the body out, for HEAD."""
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in answer.headers
        if name.lower() != "content-length"
    ]
    if answer.status != 204:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bare else answer.body})
