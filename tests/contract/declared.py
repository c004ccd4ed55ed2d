"""Small sets of functions written by a test, declared apart from the real ones."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from somos.mesh import declare
from somos.mesh.declare import Function

PREAMBLE = '''\
"""{doc}"""
from uuid import UUID
from somos.events.crm import DealOpened, DealWon
from somos.mesh.declare import cron, http, topic, webhook
from somos.mesh.queues import AGENTS
from somos.mesh.schemas import Accepted, Body, Download, Filter, Page, Upload, View
'''


@contextmanager
def declared(folder: Path, **files: str) -> Iterator[list[Function]]:
    """`declared(tmp_path, crm__deals="@http.get(...)...")`: files of functions/, imported and registered."""
    before = dict(declare.registry)
    declare.registry.clear()
    made = []
    try:
        for key, source in files.items():
            module, _, name = key.partition("__")
            path = folder / "functions" / module / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PREAMBLE.format(doc=f"What {name} is for.") + dedent(source))
            spec = importlib.util.spec_from_file_location(f"written_by_a_test.{module}.{name}", path)
            assert spec
            assert spec.loader
            loaded = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = loaded
            made.append(spec.name)
            spec.loader.exec_module(loaded)
        yield list(declare.registry.values())
    finally:
        declare.registry.clear()
        declare.registry.update(before)
        for name in made:
            del sys.modules[name]


def line_of(folder: Path, key: str, text: str) -> str:
    """`functions/crm/deals.py:12` of the first line that holds `text`."""
    module, _, name = key.partition("__")
    path = folder / "functions" / module / f"{name}.py"
    number = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line)
    return f"{path}:{number}"
