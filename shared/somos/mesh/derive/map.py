"""The map of functions and events: `gateway/map.json` for the page, `gateway/map.md` for readers."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from somos.mesh.declare import Function
from somos.mesh.derive.emitted import types_emitted_by
from somos.mesh.derive.places import file_of, relative
from somos.mesh.derive.stack import kind_of
from somos.mesh.events import Event

HEADER = """\
# Mapa de funções e eventos

Derivado das declarações em `functions/` por `somos derive`. Não edite.
Retângulo: função · hexágono: evento · seta: emite ou consome.
"""


def map_json(functions: Iterable[Function], events: Iterable[type[Event]]) -> str:
    """Nodes and arrows as data."""
    content = {
        "functions": [_node(function) for function in functions],
        "events": [_event(event) for event in sorted(events, key=lambda event: event.type)],
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def map_markdown(functions: Iterable[Function]) -> str:
    """A Mermaid drawing, one box per module."""
    functions = list(functions)
    lines = [HEADER, "```mermaid", "flowchart LR"]
    for module in dict.fromkeys(function.module for function in functions):
        lines.append(f"  subgraph {module}")
        lines += [f"    {_id(f.name)}[{f.name}]" for f in functions if f.module == module]
        lines.append("  end")
    arrows = sorted(
        {f"  {_id(f.name)} --> {_hexagon(type_)}" for f in functions for type_ in types_emitted_by(f)}
        | {f"  {_hexagon(topic.type)} --> {_id(f.name)}" for f in functions for topic in f.topics}
    )
    return "\n".join([*lines, *arrows, "```"]) + "\n"


def _node(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "module": function.module,
        "kind": kind_of(function),
        "file": file_of(function),
        "doc": function.doc.splitlines()[0] if function.doc else "",
        "routes": [f"{e.method} {e.path}" for e in function.endpoints]
        + [f"POST {path}" for w in function.webhooks for path in w.paths],
        "schedules": [timer.schedule for timer in function.timers],
        "emits": types_emitted_by(function),
        "consumes": sorted(topic.type for topic in function.topics),
        "calls": sorted({_name(port) for consumer in function.consumers for port in consumer.calls}),
    }


def _event(event: type[Event]) -> dict[str, Any]:
    doc = (event.__doc__ or "").strip()
    return {
        "type": event.type,
        "module": event.type.split(".")[0],
        "file": relative(_file(event)),
        "doc": " ".join(doc.split()),
        "fields": sorted(event.model_fields),
    }


def _name(port: type) -> str:
    return port.__name__


def _file(event: type[Event]) -> str:
    return str(sys.modules[event.__module__].__file__)


def _id(name: str) -> str:
    return name.replace("-", "_")


def _hexagon(type_: str) -> str:
    return f"{type_.replace('.', '_')}{{{{{type_}}}}}"
