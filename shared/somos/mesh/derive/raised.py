"""Which problems a handler raises by itself, read from its source and from what it calls."""

import ast
from collections.abc import Callable
from functools import cache
from typing import Any

from somos.mesh.derive.reach import Source, reached
from somos.mesh.problems import Problem


def raised_by(handler: Callable[..., Any]) -> set[type[Problem]]:
    """Every kind of problem that is named there, raised or returned to be raised."""
    return set().union(*map(_named_in, reached(handler)))


@cache
def _named_in(source: Source) -> frozenset[type[Problem]]:
    named = (source.resolve(node) for node in source.nodes if isinstance(node, ast.Name | ast.Attribute))
    return frozenset(one for one in named if isinstance(one, type) and issubclass(one, Problem))
