"""What a handler takes, read once when it declares itself; what could never be called is refused with what to write."""

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import BaseModel

from somos.mesh.schemas import Filter, Upload

CONTEXT = "ctx"
PATH_TYPES = {UUID: "uuid", int: "int", str: "string"}
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class DeclarationError(Exception):
    """A function says something of itself that cannot be; the message says where and what to do."""


def where(handler: Callable[..., Any]) -> str:
    """`file:line` of a handler."""
    code = inspect.unwrap(handler).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def taken_and_given(handler: Callable[..., Any]) -> tuple[dict[str, Any], Any]:
    """The type of each parameter, and of what is returned. Each is given by name, so each needs one and a type."""
    if inspect.iscoroutinefunction(handler) or inspect.isgeneratorfunction(inspect.unwrap(handler)):
        raise DeclarationError(f"{where(handler)}: a handler is a plain `def`; nobody would await or iterate this one")
    try:
        hints = get_type_hints(handler)
    except NameError as error:
        raise DeclarationError(
            f"{where(handler)}: {error}; import what the parameters name outside `if TYPE_CHECKING`"
        ) from None
    parameters = inspect.signature(handler).parameters
    for name, parameter in parameters.items():
        if parameter.kind not in _NAMED:
            raise DeclarationError(f"{where(handler)}: {parameter} cannot be given by name; name every parameter")
        if name not in hints and name != CONTEXT:
            raise DeclarationError(f"{where(handler)}: parameter {name!r} has no type; write `{name}: <its type>`")
    return {name: hints.get(name) for name in parameters}, hints.get("return", type(None))


def event_parameter(handler: Callable[..., Any], event: type[BaseModel]) -> str:
    """The name under which a step takes its event: it is called with that and the context, and nothing else."""
    taken, _ = taken_and_given(handler)
    names = [name for name in taken if name != CONTEXT]
    if CONTEXT not in taken or len(names) != 1 or taken[names[0]] is not event:
        raise _differs(handler, taken, f"(event: {event.__name__}, ctx: Context)")
    return names[0]


def reported_parameter(handler: Callable[..., Any]) -> tuple[str, type[BaseModel]]:
    """Name and model of what a webhook takes of the provider's words."""
    taken, _ = taken_and_given(handler)
    models = {name: hint for name, hint in taken.items() if inspect.isclass(hint) and issubclass(hint, BaseModel)}
    if CONTEXT not in taken or len(models) != 1 or len(taken) != 2:
        raise _differs(handler, taken, "(event: <a model of what the provider sends>, ctx: Context)")
    return next(iter(models.items()))


def only_context(handler: Callable[..., Any]) -> None:
    """A timer has nothing to say but that it is time."""
    taken, _ = taken_and_given(handler)
    if list(taken) != [CONTEXT]:
        raise _differs(handler, taken, "(ctx: Context)")


def request_parameters(
    handler: Callable[..., Any], method: str, path: str
) -> tuple[dict[str, type], dict[str, tuple[str, Any]], bool]:
    """What an endpoint takes: {name: type} from the path; {"body" | "query" | "upload": (name, type)}; and the context.

    A body and an upload are the same bytes, so there is one of the two at most.
    """
    taken, _ = taken_and_given(handler)
    in_path = {part[1:-1] for part in path.split("/") if part.startswith("{")}
    if missing := in_path - taken.keys():
        raise DeclarationError(f"{where(handler)}: {path} has {missing}, the handler takes no such parameter")
    by_place: dict[str, tuple[str, Any]] = {}
    for name, hint in taken.items():
        if name == CONTEXT:
            continue
        if name in in_path:
            if hint not in PATH_TYPES:
                raise DeclarationError(f"{where(handler)}: {name!r} in the path is a UUID, an int or a str")
            continue
        place = _place(handler, name, hint, method)
        rivals = [place] if place == "query" else ["body", "upload"]
        if other := next((by_place[one][0] for one in rivals if one in by_place), None):
            raise DeclarationError(
                f"{where(handler)}: {other!r} and {name!r} are both the {place}; make them one model"
            )
        by_place[place] = (name, hint)
    return {name: taken[name] for name in sorted(in_path)}, by_place, CONTEXT in taken


def _place(handler: Callable[..., Any], name: str, hint: Any, method: str) -> str:
    if hint is Upload:
        return "upload"
    if inspect.isclass(hint) and issubclass(hint, Filter):
        return "query"
    if inspect.isclass(hint) and issubclass(hint, BaseModel):
        return "query" if method in ("GET", "DELETE") else "body"
    raise DeclarationError(f"{where(handler)}: parameter {name!r} is neither in the path, a model, an Upload nor ctx")


def _differs(handler: Callable[..., Any], taken: dict[str, Any], right: str) -> DeclarationError:
    written = ", ".join(f"{name}: {getattr(hint, '__name__', hint)}" if hint else name for name, hint in taken.items())
    name = inspect.unwrap(handler).__name__
    return DeclarationError(f"{where(handler)}: {name}({written}) is called as {name}{right}; write it so")
