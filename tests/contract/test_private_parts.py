"""What we lean on of other packages that is not theirs to keep: listed here, and tried against the pinned version."""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from granian.server.embed import Server
from pg8000 import legacy
from pg8000.core import Context, CoreConnection
from rq import Queue, SimpleWorker
from sqlalchemy import Engine, text
from urllib3.connection import HTTPConnection, HTTPSConnection

from somos.mesh.database import engine_for
from somos.mesh.driver import Connection
from somos.settings import ROOT

OURS = ("somos", "functions", "gateway", "infra")
DRIVER = "shared/somos/mesh/driver.py"
PUBLIC_WEB = "shared/somos/adapters/sites/public_web.py"
# Underscored, and yet documented: of named tuples and syntax trees, the way to end a forked process, and types alone.
PUBLIC = {"_asdict", "_fields", "_exit", "_typeshed"}


@dataclass(frozen=True)
class Part:
    """A private attribute of another package, the file that uses it, and what for."""

    name: str
    file: str
    why: str


PRIVATE = (
    Part("_usock", DRIVER, "whether the server closed an idle connection, and where to send a cancel"),
    Part("_backend_key_data", DRIVER, "a cancel names the session by it"),
    Part("_in_transaction", DRIVER, "nothing is begun twice, and no empty transaction is committed"),
    Part("_send_message", DRIVER, "closing a plan and asking for an answer travel with the statement"),
    Part("_sock", DRIVER, "a whole statement leaves in one write"),
    Part("_c", DRIVER, "the cursor's connection"),
    Part("_context", DRIVER, "what the cursor shows of its columns"),
    Part("_row_iter", DRIVER, "what the cursor fetches from"),
    Part("_input_oids", DRIVER, "the types that setinputsizes declared"),
    Part("_new_conn", PUBLIC_WEB, "the address that was checked is the one that is connected to"),
)

# No underscore, but no documentation either: what is called or overridden, with the parameters it has.
UNDOCUMENTED: tuple[tuple[Callable[..., Any], list[str], str], ...] = (
    (CoreConnection.execute_simple, ["self", "statement"], DRIVER),
    (CoreConnection.execute_unnamed, ["self", "statement", "vals", "oids", "stream"], DRIVER),
    (CoreConnection.handle_messages, ["self", "context"], DRIVER),
    (CoreConnection.handle_ROW_DESCRIPTION, ["self", "data", "context"], DRIVER),
    (CoreConnection.send_PARSE, ["self", "statement_name_bin", "statement", "oids"], DRIVER),
    (CoreConnection.send_DESCRIBE_STATEMENT, ["self", "statement_name_bin"], DRIVER),
    (CoreConnection.send_BIND, ["self", "statement_name_bin", "params"], DRIVER),
    (CoreConnection.send_EXECUTE, ["self"], DRIVER),
    (Context, ["statement", "stream", "columns", "input_funcs"], DRIVER),
    (SimpleWorker.execute_job, ["self", "job", "queue"], "shared/somos/mesh/worker.py"),
    (SimpleWorker.request_stop, ["self", "signum", "frame"], "shared/somos/mesh/worker.py"),
    (SimpleWorker.subscribe, ["self"], "shared/somos/mesh/worker.py"),
    (SimpleWorker.unsubscribe, ["self"], "shared/somos/mesh/worker.py"),
    (Server.serve, ["self", "spawn_target"], "shared/somos/mesh/serve.py"),
    (Server.stop, ["self"], "shared/somos/mesh/serve.py"),
)


def test_every_private_part_that_we_use_is_listed() -> None:
    used = {(name, file) for file in _our_files() for name in _foreign(file)}
    assert used == {(part.name, part.file) for part in PRIVATE}


@pytest.mark.parametrize(("part", "takes", "file"), UNDOCUMENTED, ids=lambda value: getattr(value, "__qualname__", ""))
def test_what_is_undocumented_is_called_as_it_is_written(part: Callable[..., Any], takes: list[str], file: str) -> None:
    assert list(inspect.signature(part).parameters)[: len(takes)] == takes
    assert part.__name__ in (ROOT / file).read_text()


def test_rq_names_what_a_ring_leaves_behind() -> None:
    assert isinstance(Queue.intermediate_queue_key, property)
    assert SimpleWorker.max_connection_wait_time > 0


def test_urllib3_opens_its_sockets_where_we_do() -> None:
    for connection in (HTTPConnection, HTTPSConnection):
        assert list(inspect.signature(connection._new_conn).parameters) == ["self"]
        assert "self._new_conn()" in inspect.getsource(connection.connect)


@pytest.fixture
def engine(database_urls: tuple[str, str]) -> Iterator[Engine]:
    made = engine_for(database_urls[0], pool_size=1)
    yield made
    made.dispose()


def test_a_connection_has_the_parts_that_we_use(engine: Engine) -> None:
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, Connection)
        assert raw._usock.getpeername()[1] == engine.url.port
        assert raw._usock.fileno() > 0
        assert len(raw._backend_key_data) == 8
        assert callable(raw._sock.flush)
        assert list(inspect.signature(raw._send_message).parameters) == ["code", "data"]
        assert raw._in_transaction is False
        connection.execute(text("select 1"))
        assert raw._in_transaction is True


def test_a_cursor_fetches_from_the_parts_that_we_fill(engine: Engine) -> None:
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        cursor = legacy.Cursor(raw)
        assert cursor._c is raw
        assert cursor._input_oids == ()
        cursor.execute("select 1 as one")
        assert cursor.description is not None
        assert cursor._context.columns[0]["name"] == "one"
        cursor._row_iter = iter([[2]])
        assert list(cursor.fetchall()) == [[2]]


def _our_files() -> Iterator[str]:
    for folder in ("shared", "gateway", "functions", "infra"):
        yield from (str(file.relative_to(ROOT)) for file in (ROOT / folder).rglob("*.py"))


def _foreign(file: str) -> Iterator[str]:
    """Private names of other packages that a file uses: what nobody here defines, what a class takes from a parent
    that is not ours, and private modules or names that are imported."""
    tree = ast.parse((ROOT / file).read_text())
    imported = dict(_imports(tree))
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            theirs = {name for base in node.bases for name in _private_of(ast.unparse(base), imported)}
            mixed_in = [classes[name] for base in node.bases if (name := ast.unparse(base)) in classes]
            for ours in (node, *mixed_in):
                yield from theirs & _private_names(ours)
        elif isinstance(node, ast.Attribute) and _is_private(node.attr) and node.attr not in _our_names():
            yield node.attr
    for origin in imported.values():
        if origin.split(".")[0] not in OURS:
            yield from (word for word in origin.split(".") if _is_private(word))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_" and name not in PUBLIC


@cache
def _our_names() -> frozenset[str]:
    found: set[str] = set()
    for file in _our_files():
        for node in ast.walk(ast.parse((ROOT / file).read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
    return frozenset(found)


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """By what name it is known in a file, and where it comes from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (first, first)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _private_of(base: str, imported: dict[str, str]) -> set[str]:
    """Private names in the source of a parent class and of its own parents, where they are not ours."""
    first, _, rest = base.split("[")[0].partition(".")
    module, _, name = f"{imported.get(first, '')}.{rest}".rstrip(".").rpartition(".")
    if not module or module.split(".")[0] in (*OURS, *sys.stdlib_module_names):
        return set()
    parent = getattr(import_module(module), name)
    return {name for one in getattr(parent, "__mro__", ()) if one.__module__ != "builtins" for name in _written_in(one)}


@cache
def _written_in(parent: type) -> frozenset[str]:
    file = inspect.getsourcefile(parent) if parent.__module__.split(".")[0] not in sys.stdlib_module_names else None
    if file is None or parent.__module__.split(".")[0] in OURS:
        return frozenset()
    tree = ast.parse(Path(file).read_text())
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == parent.__name__)
    return frozenset(name for node in classes for name in _private_names(node))


def _private_names(node: ast.ClassDef) -> set[str]:
    """What a class defines or reads of itself."""
    own = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute) and ast.unparse(one.value) == "self"}
    defined = {one.name for one in ast.walk(node) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    return {name for name in own | defined if _is_private(name)}
