"""Where things stand in the repository: `functions/crm/deals.py:12`."""

import inspect
from pathlib import Path
from typing import Any

from somos.mesh.declare import Consumer, Endpoint, Function
from somos.settings import ROOT


def place_of(thing: Any, line: int | None = None) -> str:
    """The file and line that declare a class or function."""
    thing = inspect.unwrap(thing)
    if line is None:
        code = getattr(thing, "__code__", None)
        line = code.co_firstlineno if code else inspect.getsourcelines(thing)[1]
    return f"{relative(inspect.getsourcefile(thing) or '')}:{line}"


def relative(file: str) -> str:
    """The path as seen from the root of the repository."""
    path = Path(file)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else file


def file_of(function: Function) -> str:
    return relative(function.file)


def handlers_of(function: Function) -> list[Endpoint | Consumer]:
    """All that a function answers to."""
    return [*function.endpoints, *function.consumers]
