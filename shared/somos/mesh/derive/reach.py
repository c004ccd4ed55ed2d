"""The functions of this project that a handler runs: itself, and what it calls or hands over, read from source."""

import ast
import inspect
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from somos.mesh.derive.places import place_of

MESH = "somos.mesh"
LEAVES = {ast.Name, ast.Constant}
FOREIGN = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}


@dataclass(frozen=True, eq=False)
class Source:
    """One function as written, with what its names stand for; read once, however many handlers reach it."""

    function: FunctionType
    tree: ast.AST

    @property
    def nodes(self) -> list[ast.AST]:
        return walked(self.tree)

    @cached_property
    def calls(self) -> list[ast.Call]:
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    @cached_property
    def callees(self) -> list[FunctionType]:
        """Every function that it calls or hands to another to be called there (`ctx.read(query, ...)`)."""
        # Only functions: a name may stand for anything, a column for instance, which has no truth and no hash.
        named = (one for call in self.calls for one in (call.func, *call.args))
        resolved = (self.resolve(one) for one in named if isinstance(one, ast.Name | ast.Attribute))
        return [one for one in resolved if isinstance(one, FunctionType)]

    @cached_property
    def names(self) -> Mapping[str, Any]:
        enclosed = zip(self.function.__code__.co_freevars, self.function.__closure__ or (), strict=False)
        here = {name: cell.cell_contents for name, cell in enclosed}
        return {**self.function.__globals__, **here} if here else self.function.__globals__

    def place_of(self, node: ast.expr) -> str:
        return place_of(self.function, node.lineno)

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
    waiting: list[Callable[..., Any]] = [handler]
    seen: set[Source] = set()
    while waiting:
        source = _source(waiting.pop())
        if source is not None and source not in seen:
            seen.add(source)
            yield source
            waiting += source.callees


@cache
def _source(function: Callable[..., Any]) -> Source | None:
    """None for what is not ours, and for a lambda."""
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType) or not _is_ours(function):
        return None
    tree = _definitions(function.__code__.co_filename).get(function.__code__.co_firstlineno)
    return Source(function, tree) if tree is not None else None


@cache
def _definitions(file: str) -> dict[int, ast.AST]:
    """Every function of a file by its first line, which is its first decorator's."""
    return {
        min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]): node
        for node in statements(parsed(Path(file)))
        if isinstance(node, ast.FunctionDef)
    }


@cache
def parsed(file: Path) -> ast.Module:
    """The syntax tree of a file, made once."""
    return ast.parse(file.read_text())


@cache
def walked(root: ast.AST) -> list[ast.AST]:
    """A node and all below it, without the contexts of names. Looked through by several, and by `ast.walk` slowly."""
    nodes = [root]
    for node in nodes:
        if type(node) not in LEAVES:
            for field in node._fields:
                value = getattr(node, field)
                if type(value) is list:
                    nodes += [one for one in value if isinstance(one, ast.AST)]
                elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
                    nodes.append(value)
    return nodes


def statements(root: ast.AST) -> Iterator[ast.stmt]:
    """Every statement below a node, however deep."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(root, block, ())
        for one in inner if isinstance(inner, list) else ():
            if isinstance(one, ast.stmt):
                yield one
            yield from statements(one)


def _is_ours(function: FunctionType) -> bool:
    return not function.__module__.startswith(MESH) and _is_in_project(function.__code__.co_filename)


@cache
def _is_in_project(file: str) -> bool:
    return not any(map(Path(file).is_relative_to, FOREIGN))
