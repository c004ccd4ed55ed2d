"""The development gateway's application: which part of it answers which address."""

from collections.abc import Callable

from gateway.local.async_calls import TYPE as ASYNC_CALL
from gateway.local.async_calls import AsyncCalls
from gateway.local.exchange import Answer, Call, call_of, write
from gateway.local.functions import Functions
from gateway.local.health import health, integrations
from gateway.local.hosts import Hosts
from gateway.local.logs import NAMESPACE, Logs
from gateway.local.metrics import Metrics
from gateway.local.openfaas import OpenFaas
from gateway.local.pages import Pages
from gateway.local.websocket_proxy import WebSocketProxy
from somos.mesh import bodies
from somos.mesh.bodies import Bodies, Receive, Scope, Send
from somos.mesh.declare import Function
from somos.mesh.disconnects import result_unless_disconnected
from somos.mesh.log import log
from somos.mesh.problems import Broken, Incomplete, NotFound, Problem
from somos.mesh.runtime import Runtime
from somos.mesh.threads import Abandoned, Threads

PEOPLE_THREADS = 12
# What people wait for in one place holds up nothing here: each has threads of its own, and together they have
# connections of their own, one for each thread.
PROBE_THREADS = 2
WEBHOOK_THREADS = 4
SIGN_IN_THREADS = 4
# Steps wait on models and providers: they must not take the threads that answer people.
STEP_THREADS = 32
LARGE_AT_ONCE = 4  # bodies that only uploads may have


class GatewayApp:
    """The ASGI application."""

    def __init__(
        self, functions: dict[str, Function], runtime: Runtime, hub: str, password: str, hosts: Hosts | None = None
    ) -> None:
        self.logs = Logs()
        self._apart = runtime.apart(PROBE_THREADS + WEBHOOK_THREADS + SIGN_IN_THREADS)
        metrics = Metrics(self._apart)
        hosts = hosts or Hosts(functions, runtime)
        self._hosts = hosts
        self._functions = Functions(hosts, runtime, metrics, self.logs)
        self._undelayed = Functions(hosts.apart(self._apart), runtime, metrics, self.logs)
        self._calls = AsyncCalls(runtime, self._functions.named)
        self._openfaas = OpenFaas(hosts, metrics, self.logs, password)
        self._pages = Pages(hosts)
        self._websockets = WebSocketProxy(hub)
        self._metrics = metrics
        self._probes = Threads(PROBE_THREADS, "probe")
        self._webhooks = Threads(WEBHOOK_THREADS, "webhook")
        self._signing_in = Threads(SIGN_IN_THREADS, "sign-in")
        self._bodies = Bodies(LARGE_AT_ONCE)
        self._people = Threads(PEOPLE_THREADS, "people")
        self._steps = Threads(STEP_THREADS, "step")

    def prepare(self) -> None:
        """What the first to ask would wait for."""
        self._openfaas.prepare()

    async def let_go(self) -> None:
        """Before the server stops: nobody keeps a connection open."""
        self.logs.let_go()
        await self._websockets.close()

    def stop(self) -> None:
        """After the server stopped: finish what was begun."""
        for threads in (self._probes, self._webhooks, self._signing_in, self._people, self._steps):
            threads.stop()
        self._apart.engine.dispose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = call_of(scope)
        try:
            body = await self._bodies.read(scope, receive, self._max_bytes(call))
        except Incomplete:
            return  # the client left
        except Problem as problem:
            await write(send, Answer.problem(self._hosts.unread(call, problem)))
            return
        call.body = body.content
        try:
            await self._answer(call, receive, send)
        finally:
            body.let_go()

    def _max_bytes(self, call: Call) -> int:
        """As its route declares; nothing else here takes much."""
        if call.header("Ce-Type"):
            return bodies.DELIVERY
        if call.path.startswith(("/api/", "/webhook/", "/function/")):
            return self._functions.max_bytes(call)
        return bodies.JSON

    async def _answer(self, call: Call, receive: Receive, send: Send) -> None:
        if call.path == "/system/logs" and not self._openfaas.refusal(call):
            await self._openfaas.logs(call, receive, send)
            return
        threads, work = self._place(call)
        try:
            answer = await result_unless_disconnected(threads.begin(lambda: work(call)), call.method, receive)
        except Abandoned:
            return
        except Exception:
            log.exception("gateway_failed", path=call.path)
            answer = Answer.problem(Broken())
        await write(send, answer, bare=call.method == "HEAD")

    def _place(self, call: Call) -> tuple[Threads, Callable[[Call], Answer]]:
        """Who answers, and in which threads."""
        path = call.path
        if path.startswith("/webhook/"):
            return self._webhooks, self._undelayed.public
        if path.startswith("/api/v1/auth/"):
            return self._signing_in, self._undelayed.public
        if path.startswith("/api/"):
            return self._people, self._functions.public
        if path.startswith("/function/"):
            if call.header("Ce-Type") == ASYNC_CALL:
                return self._steps, self._stored_call
            return (self._steps if call.header("Ce-Type") else self._people), self._functions.named
        if path.startswith("/async-function/"):
            return self._people, self._take
        if path.startswith("/system/"):
            return self._people, self._openfaas.answer
        probes: dict[str, Callable[[Call], Answer]] = {
            "/health": lambda _: health(self._apart),
            "/health/integrations": lambda _: integrations(self._apart),
            "/healthz": lambda _: Answer.text("OK"),
            "/metrics": lambda _: Answer(
                200, [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")], self._metrics.exposition()
            ),
        }
        if path in probes:
            return self._probes, probes[path]
        return self._people, self._pages.answer

    def _take(self, call: Call) -> Answer:
        name, slash, rest = call.path.removeprefix("/async-function/").partition("/")
        name = name.removesuffix(f".{NAMESPACE}")
        if name not in self._hosts:
            return Answer.problem(NotFound(f"Não há função {name!r} neste gateway"))
        try:
            return self._calls.take(call, name, slash + rest)
        except Problem as problem:
            return Answer.problem(problem)

    def _stored_call(self, call: Call) -> Answer:
        try:
            return self._calls.make(call)
        except Problem as problem:
            return Answer.problem(problem)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/ws":
            await self._websockets(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 4404})
