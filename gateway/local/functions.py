"""Requests to functions: by public path, by name as OpenFaaS does, and deliveries signed by the mesh."""

import time
from uuid import uuid4

from gateway.local.exchange import Answer, Call
from gateway.local.hosts import Hosts
from gateway.local.logs import NAMESPACE, Logs
from gateway.local.metrics import Metrics
from somos.mesh import bodies, clock
from somos.mesh.problems import NotFound, Problem
from somos.mesh.router import Router
from somos.mesh.runtime import Runtime


class Functions:
    """Finds the function, lets its host answer, and notes what happened."""

    def __init__(self, hosts: Hosts, runtime: Runtime, metrics: Metrics, logs: Logs) -> None:
        self._hosts = hosts
        self._metrics = metrics
        self._logs = logs
        self._edge = Router((edge.method, edge.path, edge) for edge in runtime.routes.edges)

    def public(self, call: Call) -> Answer:
        """`/api/v1/...` and `/webhook/...`, as the derived map says."""
        try:
            edge, _ = self._edge.match(call.method, call.path)
        except Problem as problem:
            return Answer.problem(problem)
        return self._answer(edge.function, call, call.path)

    def max_bytes(self, call: Call) -> int:
        """The largest body that may be sent there."""
        named, _, path = call.path.removeprefix("/function/").partition("/")
        name = named.removesuffix(f".{NAMESPACE}") if call.path.startswith("/function/") else ""
        if name in self._hosts and not path:
            function = self._hosts.functions[name]
            return function.max_bytes
        try:
            return int(self._edge.match(call.method, f"/{path}" if name else call.path)[0].max_bytes)
        except Problem:
            return bodies.ANONYMOUS

    def named(self, call: Call) -> Answer:
        """`/function/NAME[.namespace][/path]`, as OpenFaaS hands it on; without a path, `/`."""
        name, _, rest = call.path.removeprefix("/function/").partition("/")
        name = name.removesuffix(f".{NAMESPACE}")
        if name not in self._hosts:
            return Answer.problem(NotFound(f"Não há função {name!r} neste gateway"))
        return self._answer(name, call, f"/{rest}")

    def _answer(self, function: str, call: Call, path: str) -> Answer:
        began = time.perf_counter()
        nanoseconds = int(clock.now().timestamp() * 1e9)
        mark = {"X-Call-Id": call.header("X-Call-Id") or str(uuid4()), "X-Start-Time": str(nanoseconds)}
        answer = Answer.of(self._hosts.answer(function, call.environ(path, mark)))
        answer.headers += mark.items()
        seconds = time.perf_counter() - began
        self._metrics.count(function, answer.status, seconds)
        self._logs.note(function, f"{call.method} {path} - {answer.status} - {seconds:.4f}s")
        return answer
