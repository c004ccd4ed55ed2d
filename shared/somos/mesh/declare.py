"""How a function declares itself: routes, events, webhooks and timers, beside the handler."""

import builtins
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypedDict, TypeVar, Unpack

from pydantic import BaseModel

from somos.mesh import bodies
from somos.mesh.events import Event
from somos.mesh.queues import DEFAULT, FACTS, WEBHOOKS, Queue
from somos.mesh.schemas import Accepted
from somos.mesh.signatures import (
    DeclarationError,
    event_parameter,
    only_context,
    reported_parameter,
    request_parameters,
    taken_and_given,
    where,
)
from somos.policy.grants import ANYONE

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Endpoint:
    """One method and path, and what it takes and gives."""

    function: str
    method: str
    path: str
    allow: str
    handler: Callable[..., Any]
    status: int
    params: dict[str, type]
    body: type[BaseModel] | None
    body_name: str | None
    query: type[BaseModel] | None
    query_name: str | None
    upload_name: str | None
    takes_context: bool
    returns: Any
    max_bytes: int
    replays: bool = True
    patience: int | None = None

    @property
    def where(self) -> str:
        return where(self.handler)


@dataclass(frozen=True, eq=False)
class Consumer:
    """A handler of one type of event; webhooks and timers are consumers of their own events.

    `takes` is the name under which the handler takes the event; a timer's takes none.
    """

    function: str
    type: str
    model: "builtins.type[BaseModel] | None"
    takes: str | None
    handler: Callable[..., Any]
    calls: "tuple[builtins.type[Any], ...]"
    queue: Queue
    timeout: int
    attempts: int

    @property
    def where(self) -> str:
        return where(self.handler)


@dataclass(frozen=True, eq=False)
class Webhook:
    """A path where a provider reports; stored raw first, then consumed."""

    function: str
    path: str
    signed_by: str
    consumer: Consumer
    max_bytes: int = bodies.WEBHOOK
    by_event: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it is taken: with `by_event` also under the name of each event."""
        return (self.path, f"{self.path}/{{event}}") if self.by_event else (self.path,)


@dataclass(frozen=True, eq=False)
class Timer:
    """A schedule (cron syntax, America/Sao_Paulo); its tick is an event."""

    function: str
    schedule: str
    consumer: Consumer


@dataclass
class Function:
    """One file of `functions/`, one deployable unit of work."""

    name: str
    module: str
    file: str
    doc: str
    endpoints: list[Endpoint] = field(default_factory=list)
    topics: list[Consumer] = field(default_factory=list)
    webhooks: list[Webhook] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)

    @property
    def consumers(self) -> list[Consumer]:
        return [*self.topics, *(w.consumer for w in self.webhooks), *(t.consumer for t in self.timers)]

    @property
    def max_bytes(self) -> int:
        """The largest body that any of its addresses takes."""
        return max([*(e.max_bytes for e in self.endpoints), *(w.max_bytes for w in self.webhooks), bodies.ANONYMOUS])


registry: dict[str, Function] = {}


def function_name(python_module: str) -> str:
    """`functions.crm.deal_stages` -> `crm-deal-stages`."""
    return "-".join(python_module.split(".")[-2:]).replace("_", "-")


class EndpointOptions(TypedDict, total=False):
    """What an endpoint may say beside its path and permission."""

    status: int
    """Of its success, when not that of its method."""
    replays: bool
    """False: the answer holds a secret, so it is never stored for an Idempotency-Key."""
    max_bytes: int
    """The largest body it takes, when not that of its kind."""
    patience: int
    """Seconds that one of its statements may take, for a report (others get the role's limit)."""


class _Http:
    """`@http.get("/api/v1/deals", allow="crm:read")` and its siblings."""

    def get(self, path: str, *, allow: str, **options: Unpack[EndpointOptions]) -> Callable[[Handler], Handler]:
        return self._declare("GET", path, allow, **options)

    def post(self, path: str, *, allow: str, **options: Unpack[EndpointOptions]) -> Callable[[Handler], Handler]:
        return self._declare("POST", path, allow, **options)

    def put(self, path: str, *, allow: str, **options: Unpack[EndpointOptions]) -> Callable[[Handler], Handler]:
        return self._declare("PUT", path, allow, **options)

    def patch(self, path: str, *, allow: str, **options: Unpack[EndpointOptions]) -> Callable[[Handler], Handler]:
        return self._declare("PATCH", path, allow, **options)

    def delete(self, path: str, *, allow: str, **options: Unpack[EndpointOptions]) -> Callable[[Handler], Handler]:
        return self._declare("DELETE", path, allow, **options)

    def _declare(
        self,
        method: str,
        path: str,
        allow: str,
        status: int | None = None,
        replays: bool = True,
        max_bytes: int | None = None,
        patience: int | None = None,
    ) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            _, returns = taken_and_given(handler)
            params, taken, takes_context = request_parameters(handler, method, path)
            nothing = (None, None)
            (body_name, body), (query_name, query) = taken.get("body", nothing), taken.get("query", nothing)
            upload = taken.get("upload", nothing)[0]
            function = _function_of(handler)
            function.endpoints.append(
                Endpoint(
                    function=function.name,
                    method=method,
                    path=path,
                    allow=allow,
                    handler=handler,
                    status=status or _default_status(method, returns),
                    params=params,
                    body=body,
                    body_name=body_name,
                    query=query,
                    query_name=query_name,
                    upload_name=upload,
                    takes_context=takes_context,
                    returns=returns,
                    max_bytes=max_bytes or _default_max_bytes(allow, upload),
                    replays=replays,
                    patience=patience,
                )
            )
            return handler

        return declare


http = _Http()


def topic(
    event: type[Event],
    *,
    calls: Iterable[type] = (),
    queue: Queue | None = None,
    timeout: int = 30,
    attempts: int = 8,
) -> Callable[[Handler], Handler]:
    """A step: consumes one type of event, effectively once. `timeout` in seconds. One that calls nobody outside goes
    to the queue of facts, where many are done in one transaction; a long one should name another queue."""
    queue = queue or (DEFAULT if calls else FACTS)

    def declare(handler: Handler) -> Handler:
        takes, function = event_parameter(handler, event), _function_of(handler)
        function.topics.append(_consumer(function, event.type, event, takes, handler, calls, queue, timeout, attempts))
        return handler

    return declare


def webhook(
    path: str,
    *,
    signed_by: str,
    calls: Iterable[type] = (),
    timeout: int = 30,
    attempts: int = 8,
    max_bytes: int = bodies.WEBHOOK,
    by_event: bool = False,
) -> Callable[[Handler], Handler]:
    """What a provider reports: verified over the raw bytes, stored, answered 200, then consumed as an event.
    `max_bytes`: the largest report it takes. `by_event`: some senders add the event's name to the path."""

    def declare(handler: Handler) -> Handler:
        (takes, model), function = reported_parameter(handler), _function_of(handler)
        type_ = f"inbox.{function.name}"
        consumer = _consumer(function, type_, model, takes, handler, calls, WEBHOOKS, timeout, attempts)
        function.webhooks.append(Webhook(function.name, path, signed_by, consumer, max_bytes, by_event))
        return handler

    return declare


def cron(
    schedule: str,
    *,
    calls: Iterable[type] = (),
    timeout: int = 30,
    attempts: int = 3,
) -> Callable[[Handler], Handler]:
    """A timer. The tick is an event named after function and minute, so a double tick is one."""

    def declare(handler: Handler) -> Handler:
        only_context(handler)
        function = _function_of(handler)
        type_ = f"timer.{function.name}"
        consumer = _consumer(function, type_, None, None, handler, calls, DEFAULT, timeout, attempts)
        function.timers.append(Timer(function.name, schedule, consumer))
        return handler

    return declare


def _consumer(
    function: Function,
    type_: str,
    model: type[BaseModel] | None,
    takes: str | None,
    handler: Callable[..., Any],
    calls: Iterable[type],
    queue: Queue,
    timeout: int,
    attempts: int,
) -> Consumer:
    if any(known.type == type_ for known in function.consumers):
        raise DeclarationError(
            f"{where(handler)}: {function.name} already consumes {type_}; one handler per event and file"
        )
    return Consumer(function.name, type_, model, takes, handler, tuple(calls), queue, timeout, attempts)


def _function_of(handler: Callable[..., Any]) -> Function:
    name = function_name(handler.__module__)
    if name not in registry:
        module = sys.modules[handler.__module__]
        registry[name] = Function(
            name=name,
            module=handler.__module__.split(".")[-2],
            file=str(module.__file__),
            doc=(module.__doc__ or "").strip(),
        )
    return registry[name]


def _default_max_bytes(allow: str, upload: str | None) -> int:
    if upload:
        return bodies.UPLOAD
    return bodies.ANONYMOUS if allow == ANYONE else bodies.JSON


def _default_status(method: str, returns: Any) -> int:
    if returns is type(None):
        return 204
    if returns is Accepted:
        return 202
    return 201 if method == "POST" else 200
