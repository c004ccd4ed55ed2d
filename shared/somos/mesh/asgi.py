"""The ASGI application of a unit: bodies are read in the event loop, functions run in threads, and health probes wait
behind none of them."""

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from somos.mesh.bodies import Bodies, Receive, Scope, Send
from somos.mesh.disconnects import result_unless_disconnected
from somos.mesh.dispatch import Application, problem_response
from somos.mesh.problems import Incomplete, Problem, Unavailable
from somos.mesh.threads import Abandoned, Threads
from somos.mesh.unit import PROBES
from somos.mesh.wsgi_environ import environ

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

RawResponse = tuple[int, list[tuple[str, str]], bytes]


class AsgiApplication:
    """The ASGI application over a unit's WSGI one. `ending`: it still answers, and says that it is not ready."""

    def __init__(self, app: "WSGIApplication", application: Application, threads: int) -> None:
        self._app = app
        self._application = application
        self._bodies = Bodies()
        self._functions = Threads(threads, "function")
        self._probes = Threads(1, "probe")
        self.ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in PROBES:
            await _send(send, await self._probe(scope))
            return
        try:
            body = await self._bodies.read(scope, receive, self._max_bytes(scope))
        except Incomplete:
            return  # the client left
        except Problem as problem:
            problem = self._application.unread(scope["method"], scope["path"], problem)
            await _send(send, _problem_response(problem, scope))
            return
        try:
            job = self._functions.begin(lambda: _call_wsgi(self._app, scope, body.content))
            response = await result_unless_disconnected(job, scope["method"], receive)
        except Abandoned:
            return
        finally:
            body.let_go()
        await _send(send, response)

    def stop(self) -> None:
        """Let what is begun finish."""
        self._functions.stop()
        self._probes.stop()

    async def _probe(self, scope: Scope) -> RawResponse:
        if self.ending and scope["path"].endswith("ready"):
            return _problem_response(Unavailable("Esta unidade está encerrando"), scope)
        return await self._probes.begin(lambda: _call_wsgi(self._app, scope, b""))

    def _max_bytes(self, scope: Scope) -> int:
        is_event = any(name == b"ce-type" for name, _ in scope["headers"])
        return self._application.max_bytes(scope["method"], scope["path"], is_event)


def _call_wsgi(app: "WSGIApplication", scope: Scope, body: bytes) -> RawResponse:
    """Call the WSGI application."""
    client = (scope.get("client") or ("", 0))[0]
    query = scope["query_string"].decode("latin-1")
    request = environ(scope["method"], scope["path"], query, scope["headers"], client, body)
    started: list[tuple[int, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
        started[:] = [(int(status.split(" ", 1)[0]), headers)]

    chunks: Iterable[bytes] = app(request, start)
    try:
        raw = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return (*started[0], raw)


def _problem_response(problem: Problem, scope: Scope) -> RawResponse:
    response = problem_response(problem)
    raw = b"" if scope["method"] == "HEAD" else response.get_data()
    return response.status_code, list(Headers(response.headers).items()), raw


async def _send(send: Send, response: RawResponse) -> None:
    status, headers, raw = response
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    with contextlib.suppress(OSError, RuntimeError):  # the client left first
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": raw})
