"""Which definitions of ours a function reaches by its imports, also late ones, and what it can read there."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from somos.mesh.derive.reach import parsed, statements, walked
from somos.settings import ROOT

BASES = (ROOT, ROOT / "shared")
OURS = (ROOT / "functions", ROOT / "shared" / "somos" / "modules")
# A definition: its module, and its name there; WHOLE is every definition of the module.
Place = tuple[str, str]
WHOLE = "*"


def reads(file: str, names: frozenset[str]) -> set[str]:
    """Those of `names` that code reached from this file takes as an attribute (`ctx.settings.suppression_key`)."""
    start = _name(Path(file))
    if not any(name in text for text in map(_text, _reached_modules(start)) for name in names):
        return set()  # most: and no definition of theirs needs to be looked into
    todo: list[Place] = [(start, WHOLE)]
    seen: set[Place] = set(todo)
    names_read: set[str] = set()
    while todo:
        module, name = todo.pop()
        source = _source(module)
        for definition in source.definitions.values() if name == WHOLE else source.definitions_of(name):
            names_read |= names & definition.attributes
            new = definition.reached - seen
            seen |= new
            todo += new
    return names_read


@dataclass(eq=False)
class Definition:
    """One statement of a module, read once however many functions reach it."""

    statement: ast.stmt
    source: "Source"

    @cached_property
    def attributes(self) -> frozenset[str]:
        """Every attribute that it takes of anything."""
        return frozenset(node.attr for node in walked(self.statement) if isinstance(node, ast.Attribute))

    @cached_property
    def reached(self) -> frozenset[Place]:
        """Every definition that it names."""
        return frozenset(self.source.reached_from(walked(self.statement)))


@dataclass(eq=False)
class Source:
    """One module: what it defines, and what its imports bind."""

    module: str
    definitions: dict[str, Definition] = field(default_factory=dict)
    imported: dict[str, Place] = field(default_factory=dict)

    def definitions_of(self, name: str) -> list[Definition]:
        return [self.definitions[name]] if name in self.definitions else []

    def reached_from(self, nodes: list[ast.AST]) -> Iterator[Place]:
        # `queries.lead_card` names one definition of a module, a bare `queries` all of them.
        owners = {id(n.value): n.attr for n in nodes if isinstance(n, ast.Attribute)}
        for node in nodes:
            if not isinstance(node, ast.Name):
                continue
            if node.id in self.definitions:
                yield self.module, node.id
            elif node.id in self.imported:
                module, name = self.imported[node.id]
                yield _resolved(module, owners.get(id(node), WHOLE) if name == WHOLE else name)


def _reached_modules(start: str) -> list[str]:
    reached_names = {start: None}
    for module in (waiting := [start]):
        new = {one: None for one, _ in _source(module).imported.values() if one not in reached_names}
        reached_names |= new
        waiting += new
    return waiting


@cache
def _text(module: str) -> str:
    return _file(module).read_text()


@cache
def _source(module: str) -> Source:
    source = Source(module)
    tree = parsed(_file(module))
    for statement in tree.body:
        definition = Definition(statement, source)
        for name in _defined(statement):
            source.definitions[name] = definition
    for node in statements(tree):
        if isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            for one in node.names:
                whole = f"{base}.{one.name}"
                if whole in _files():
                    source.imported[one.asname or one.name] = (whole, WHOLE)
                elif base in _files():
                    source.imported[one.asname or one.name] = (base, one.name)
    return source


def _resolved(module: str, name: str) -> Place:
    """Through re-exports, to where it is defined."""
    while name != WHOLE and name not in _source(module).definitions:
        if name not in _source(module).imported:
            return module, WHOLE
        module, name = _source(module).imported[name]
    return module, name


def _defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield statement.name
    elif not isinstance(statement, ast.Import | ast.ImportFrom):
        yield from {n.id for n in walked(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _absolute(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".") if _file(module).name == "__init__.py" else module.split(".")[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, node.module] if node.module else package)


def _file(module: str) -> Path:
    return _files().get(module) or ROOT.joinpath(*module.split(".")).with_suffix(".py")


@cache
def _files() -> dict[str, Path]:
    """Every module of ours."""
    return {_name(file): file for folder in OURS for file in folder.rglob("*.py")}


def _name(file: Path) -> str:
    base = next(base for base in reversed(BASES) if file.is_relative_to(base))
    return ".".join(file.relative_to(base).with_suffix("").parts).removesuffix(".__init__")
