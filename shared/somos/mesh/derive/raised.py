"""Which problems a handler raises by itself, read from its source and from what it calls."""

import ast
from collections.abc import Callable
from typing import Any

from somos.mesh.derive.reach import reached
from somos.mesh.problems import Problem


def raised_by(handler: Callable[..., Any]) -> set[type[Problem]]:
    """Every kind of problem that is named there, raised or returned to be raised."""
    return {
        named
        for source in reached(handler)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name | ast.Attribute)
        and isinstance(named := source.resolve(node), type)
        and issubclass(named, Problem)
    }
