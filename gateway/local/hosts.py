"""Who answers for a function: this process, or the unit that hosts it, as the grain says."""

import time
from typing import Any
from urllib.parse import quote

import urllib3
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError
from werkzeug.wrappers import Request, Response

from gateway.local.exchange import Call
from gateway.local.logs import Logs
from gateway.local.steps import StepsProcess
from somos.local.addresses import LOOPBACK
from somos.local.unit_processes import UnitProcesses
from somos.mesh.cloud_events import ADDRESSEE
from somos.mesh.declare import Function
from somos.mesh.dispatch import Application, problem_response
from somos.mesh.problems import Problem, Unavailable
from somos.mesh.runtime import Runtime

# A unit that was killed is back within this long: whoever calls it meanwhile waits.
COMING_BACK_S = 10.0
_PATH = "/:@!$&'()*+,;=-._~"
# Of one connection, not of the request.
_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}


class Hosts:
    """The one place that knows where functions run: all of them here."""

    def __init__(self, functions: dict[str, Function], runtime: Runtime) -> None:
        self.functions = functions
        self._application = Application(functions, runtime)

    def __contains__(self, function: str) -> bool:
        return function in self.functions

    def apart(self, runtime: Runtime) -> "Hosts":
        """The same functions over another runtime."""
        return Hosts(self.functions, runtime)

    def live(self) -> bool:
        """Whether what answers beside this process does."""
        return True

    def log_to(self, logs: Logs) -> None:
        """Let logs of other processes be kept there."""

    def unread(self, call: Call, problem: Problem) -> Problem:
        """What the sender of a body that was not read is told."""
        return self._application.unread(call.method, call.path, problem)

    def answer(self, function: str, environ: dict[str, Any]) -> Response:
        """Let a function answer a request."""
        return self._application(Request(environ), function)


class UnitHosts(Hosts):
    """Each function in its unit, which is another process."""

    def __init__(self, functions: dict[str, Function], runtime: Runtime, units: UnitProcesses) -> None:
        super().__init__(functions, runtime)
        self._units = units
        self._others = OtherProcesses()

    def apart(self, runtime: Runtime) -> Hosts:  # noqa: ARG002
        """Units hold their own connections."""
        return self

    def answer(self, function: str, environ: dict[str, Any]) -> Response:
        patience = self._units.unit_of[function].patience
        return self._others.ask(self._units.port_of(function), function, Request(environ), patience)


class StepHosts(Hosts):
    """All of them here, and again in a process of its own, which answers deliveries: steps take no interpreter from
    people and webhooks."""

    def __init__(self, functions: dict[str, Function], runtime: Runtime, child: StepsProcess) -> None:
        super().__init__(functions, runtime)
        self._child = child
        self._others = OtherProcesses()

    def live(self) -> bool:
        return self._child.lives()

    def log_to(self, logs: Logs) -> None:
        self._child.log_to(logs)

    def answer(self, function: str, environ: dict[str, Any]) -> Response:
        request = Request(environ)
        if "Ce-Type" not in request.headers:
            return super().answer(function, environ)
        patience = max((consumer.timeout for consumer in self.functions[function].consumers), default=0) + 5
        return self._others.ask(self._child.port, function, request, patience)


class OtherProcesses:
    """Requests handed on to functions in other processes of this machine."""

    def __init__(self) -> None:
        self._http = urllib3.PoolManager(num_pools=256, maxsize=32, retries=False)

    def ask(self, port: int, function: str, request: Request, patience: float) -> Response:
        query = request.query_string.decode("latin-1")
        url = f"http://{LOOPBACK}:{port}{quote(request.path, safe=_PATH)}"
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        headers[ADDRESSEE] = function
        limit = time.monotonic() + COMING_BACK_S
        while True:
            try:
                answer = self._http.request(
                    request.method,
                    f"{url}?{query}" if query else url,
                    body=request.get_data(),
                    headers=headers,
                    timeout=urllib3.Timeout(connect=2, read=patience),
                )
                break
            except ReadTimeoutError:
                return problem_response(Unavailable(headers={"Retry-After": "2"}))
            except urllib3.exceptions.HTTPError as error:
                if time.monotonic() > limit or not (_unasked(error) or _repeatable(request)):
                    return problem_response(Unavailable(headers={"Retry-After": "2"}))
                time.sleep(0.05)
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP]
        return Response(answer.data, answer.status, kept)


def _unasked(error: urllib3.exceptions.HTTPError) -> bool:
    """It never got as far as the unit, so asking again is no second time."""
    return isinstance(error, NewConnectionError | ConnectTimeoutError)


def _repeatable(request: Request) -> bool:
    """Twice is as once: it only reads, or is known by its delivery or its key."""
    return request.method in ("GET", "HEAD") or "Ce-Id" in request.headers or "Idempotency-Key" in request.headers
