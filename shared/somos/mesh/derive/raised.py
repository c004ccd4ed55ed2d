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
    named = [node for node in source.nodes if isinstance(node, ast.Name | ast.Attribute)]
    resolved = map(source.resolve, {_dotted(node): node for node in named}.values())
    return frozenset(one for one in resolved if isinstance(one, type) and issubclass(one, Problem))


def _dotted(node: ast.AST) -> str:
    """A name as written; what is no chain of names has none, and stands for nothing."""
    if isinstance(node, ast.Attribute):
        return f"{owner}.{node.attr}" if (owner := _dotted(node.value)) else ""
    return node.id if isinstance(node, ast.Name) else ""
