"""The functions of this project that a handler runs: itself, and what it calls or hands over, read from source."""

import ast
import inspect
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from somos.mesh.derive.places import place_of

MESH = "somos.mesh"
FOREIGN = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}


@dataclass(frozen=True)
class Source:
    """One function as written, with what its names stand for."""

    function: FunctionType
    tree: ast.AST
    names: dict[str, Any]

    def place_of(self, node: ast.expr) -> str:
        return place_of(self.function, node.lineno)

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def resolve(self, expression: ast.expr) -> Any:
        """The object a dotted name stands for; None when only running would tell."""
        if isinstance(expression, ast.Name):
            return self.names.get(expression.id)
        if isinstance(expression, ast.Attribute):
            owner = self.resolve(expression.value)
            if isinstance(owner, ModuleType | type):
                return getattr(owner, expression.attr, None)
        return None


def reached(handler: Callable[..., Any]) -> Iterator[Source]:
    """The handler's source and, from there, that of every function of ours that can be told by name."""
    waiting: list[Any] = [handler]
    seen: set[Any] = set()
    while waiting:
        function = inspect.unwrap(waiting.pop())
        if function in seen or not isinstance(function, FunctionType) or not _is_ours(function):
            continue
        seen.add(function)
        tree = _definitions(function.__code__.co_filename).get(function.__code__.co_firstlineno)
        if tree is None:  # a lambda
            continue
        source = Source(function, tree, {**function.__globals__, **inspect.getclosurevars(function).nonlocals})
        yield source
        for call in source.calls():
            # A function handed to another to be called there (`ctx.read(query, ...)`) is reached too. Only functions:
            # a name may stand for anything, a column for instance, which has no truth and no hash.
            named = [
                source.resolve(one) for one in (call.func, *call.args) if isinstance(one, ast.Name | ast.Attribute)
            ]
            waiting += [one for one in named if isinstance(one, FunctionType)]


@cache
def _definitions(file: str) -> dict[int, ast.AST]:
    """Every function of a file by its first line, which is its first decorator's."""
    tree = ast.parse(Path(file).read_text())
    return {
        min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]): node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }


def _is_ours(function: FunctionType) -> bool:
    file = Path(function.__code__.co_filename)
    return not function.__module__.startswith(MESH) and not any(map(file.is_relative_to, FOREIGN))
