"""`somos where`: from a path, an event, a table or a function to the file and line."""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass

from somos.mesh.declare import Function
from somos.mesh.derive.emitted import emitted_by
from somos.mesh.derive.places import file_of, handlers_of, place_of
from somos.mesh.events import Event
from somos.mesh.tables import Root


@dataclass(frozen=True)
class Hit:
    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}  {self.what}"


def where(query: str, functions: Iterable[Function], events: Iterable[type[Event]]) -> list[Hit]:
    """Every place that answers to `POST /api/v1/deals`, `/api/v1/deals/123`, `crm.deal_opened`, `DealOpened`,
    `crm.deals`, `crm-deals` or a handler's name."""
    functions, query = list(functions), query.strip()
    hits = [*_routes(query, functions), *_events(query, functions, events), *_tables(query)]
    hits += _functions(query, functions)
    return list(dict.fromkeys(hits))


def _routes(query: str, functions: list[Function]) -> Iterable[Hit]:
    method, _, path = query.rpartition(" ")
    if not path.startswith("/"):
        return
    path = path.partition("?")[0].rstrip("/")
    routes = [(e.method, e.path, e.handler, e.allow) for f in functions for e in f.endpoints]
    hooks = [hook for function in functions for hook in function.webhooks]
    routes += [("POST", taken, hook.consumer.handler, hook.signed_by) for hook in hooks for taken in hook.paths]
    exact = [route for route in routes if route[1] == path]
    for verb, pattern, handler, allow in exact or [route for route in routes if _matches(route[1], path)]:
        if method.strip().upper() in ("", verb):
            yield Hit(place_of(handler), f"{verb} {pattern} ({allow})")


def _events(query: str, functions: list[Function], events: Iterable[type[Event]]) -> Iterable[Hit]:
    for event in events:
        if query.lower() not in (event.type, event.__name__.lower()):
            continue
        yield Hit(place_of(event), f"evento {event.type}")
        for function in functions:
            for handler in handlers_of(function):
                if event in emitted_by(handler.handler).events:
                    yield Hit(place_of(handler.handler), f"{function.name} emite")
            for topic in function.topics:
                if topic.type == event.type:
                    yield Hit(place_of(topic.handler), f"{function.name} consome")


def _tables(query: str) -> Iterable[Hit]:
    for mapper in Root.registry.mappers:
        table = mapper.local_table
        if query in (getattr(table, "fullname", None), getattr(table, "name", None), mapper.class_.__name__):
            yield Hit(place_of(mapper.class_), f"tabela {getattr(table, 'fullname', query)}")


def _functions(query: str, functions: list[Function]) -> Iterable[Hit]:
    for function in functions:
        handlers = [one.handler for one in handlers_of(function)]
        if query == function.name:
            yield Hit(f"{file_of(function)}:1", f"função {function.name}: {function.doc.splitlines()[0]}")
        for handler in handlers:
            if query in (function.name, handler.__name__):
                yield Hit(place_of(handler), inspect.getdoc(handler) or handler.__name__)


def _matches(pattern: str, path: str) -> bool:
    ours, theirs = pattern.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(
        a == b or (a.startswith("{") and b) for a, b in zip(ours, theirs, strict=True)
    )
