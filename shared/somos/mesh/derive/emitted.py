"""Which events a handler really states, read from its source and from what it calls."""

import ast
import inspect
import sysconfig
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from somos.mesh.derive.places import place_of
from somos.mesh.events import Event

MESH = "somos.mesh"
FOREIGN = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}


@dataclass
class Emitted:
    """The events found, and the `emit(...)` calls that nothing can be said of (`file:line`)."""

    events: set[type[Event]] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)


def emitted_by(handler: Callable[..., Any]) -> Emitted:
    """Follow the handler and the functions of this project that it calls."""
    found = Emitted()
    _follow(inspect.unwrap(handler), found, set())
    return found


def _follow(function: Callable[..., Any], found: Emitted, seen: set[Any]) -> None:
    if not isinstance(function, FunctionType) or function in seen or not _is_ours(function):
        return
    seen.add(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    names = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
    assigned = _assignments(tree)
    for call in _calls(tree):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "emit" and call.args:
            for expression in _alternatives(call.args[0], assigned):
                event = _event_of(expression, names)
                if event:
                    found.events.add(event)
                else:
                    found.unknown.append(_line(function, call))
        else:
            _follow_value(_resolve(call.func, names), found, seen)
        # A function handed to another to be called there (`ctx.read(query, ...)`) is followed too.
        for handed in call.args:
            if isinstance(handed, ast.Name | ast.Attribute):
                _follow_value(_resolve(handed, names), found, seen)


def _follow_value(value: Any, found: Emitted, seen: set[Any]) -> None:
    # A name may stand for anything, a column for instance, which has no truth and no hash.
    if isinstance(value, FunctionType):
        _follow(inspect.unwrap(value), found, seen)


def _is_ours(function: FunctionType) -> bool:
    file = Path(function.__code__.co_filename)
    return not function.__module__.startswith(MESH) and not any(map(file.is_relative_to, FOREIGN))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _assignments(tree: ast.AST) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.NamedExpr):
            found.setdefault(node.target.id, []).append(node.value)
    return found


def _alternatives(expression: ast.expr, assigned: dict[str, list[ast.expr]]) -> Iterator[ast.expr]:
    """Every expression that may stand here: both sides of a condition, all that a name was bound to."""
    if isinstance(expression, ast.IfExp):
        yield from _alternatives(expression.body, assigned)
        yield from _alternatives(expression.orelse, assigned)
    elif isinstance(expression, ast.Name) and expression.id in assigned:
        for value in assigned[expression.id]:
            yield value if isinstance(value, ast.Name) else next(_alternatives(value, {}), value)
    else:
        yield expression


def _event_of(expression: ast.expr, names: dict[str, Any]) -> type[Event] | None:
    """The class in `DealOpened(...)` or `DealOpened.of(...)`, else the one a called function returns."""
    if not isinstance(expression, ast.Call):
        return None
    called = _resolve(expression.func, names)
    if called is None and isinstance(expression.func, ast.Attribute):
        called = _resolve(expression.func.value, names)
    if isinstance(called, type) and issubclass(called, Event):
        return called
    owner = getattr(called, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, Event):
        return owner
    returned = getattr(called, "__annotations__", {}).get("return")
    return returned if isinstance(returned, type) and issubclass(returned, Event) else None


def _resolve(expression: ast.expr, names: dict[str, Any]) -> Any:
    """The object a dotted name stands for; None when only running would tell."""
    if isinstance(expression, ast.Name):
        return names.get(expression.id)
    if isinstance(expression, ast.Attribute):
        owner = _resolve(expression.value, names)
        if isinstance(owner, ModuleType | type):
            return getattr(owner, expression.attr, None)
    return None


def _line(function: FunctionType, node: ast.Call) -> str:
    _, first = inspect.getsourcelines(function)
    return place_of(function, first + node.lineno - 1)
