"""Which events a handler really states, read from its source and from what it calls."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from somos.mesh.declare import Function
from somos.mesh.derive.places import handlers_of
from somos.mesh.derive.reach import Source, reached
from somos.mesh.events import Event


@dataclass(frozen=True)
class Emitted:
    """The events found, and the `emit(...)` calls that nothing can be said of (`file:line`)."""

    events: set[type[Event]] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)


@cache
def emitted_by(handler: Callable[..., Any]) -> Emitted:
    """Follow the handler and the functions of this project that it calls."""
    emitted = Emitted()
    for source in reached(handler):
        own = _emitted_in(source)
        emitted.events.update(own.events)
        emitted.unknown.extend(own.unknown)
    return emitted


def types_emitted_by(function: Function) -> tuple[str, ...]:
    """What the handlers of a function state, by type and in order."""
    return tuple(sorted({event.type for one in handlers_of(function) for event in emitted_by(one.handler).events}))


@cache
def _emitted_in(source: Source) -> Emitted:
    emitted = Emitted()
    emits = [call for call in source.calls if isinstance(call.func, ast.Attribute) and call.func.attr == "emit"]
    assigned = _assignments(source) if emits else {}
    for call in emits:
        for expression in _alternatives(call.args[0], assigned) if call.args else ():
            event = _event_of(expression, source)
            if event:
                emitted.events.add(event)
            else:
                emitted.unknown.append(source.place_of(call))
    return emitted


def _assignments(source: Source) -> dict[str, list[ast.expr]]:
    by_name: dict[str, list[ast.expr]] = {}
    for node in source.nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    by_name.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.NamedExpr):
            by_name.setdefault(node.target.id, []).append(node.value)
    return by_name


def _alternatives(expression: ast.expr, assigned: dict[str, list[ast.expr]]) -> Iterator[ast.expr]:
    """Every expression that may stand here: both sides of a condition, all that a name was bound to."""
    if isinstance(expression, ast.IfExp):
        yield from _alternatives(expression.body, assigned)
        yield from _alternatives(expression.orelse, assigned)
    elif isinstance(expression, ast.Name) and expression.id in assigned:
        for value in assigned[expression.id]:
            yield from _alternatives(value, {})
    else:
        yield expression


def _event_of(expression: ast.expr, source: Source) -> type[Event] | None:
    """The class in `DealOpened(...)` or `DealOpened.of(...)`, else the one a called function returns."""
    if not isinstance(expression, ast.Call):
        return None
    called = source.resolve(expression.func)
    if called is None and isinstance(expression.func, ast.Attribute):
        called = source.resolve(expression.func.value)
    if isinstance(called, type) and issubclass(called, Event):
        return called
    owner = getattr(called, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, Event):
        return owner
    returned = getattr(called, "__annotations__", {}).get("return")
    return returned if isinstance(returned, type) and issubclass(returned, Event) else None
