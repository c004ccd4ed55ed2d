"""The smallest valid request of every endpoint, from its own documentation; ids in it are of rows that exist."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from somos.mesh.declare import Endpoint
from somos.mesh.derive.openapi import openapi
from somos.mesh.ids import uuid7
from somos.mesh.loader import load
from tests.contract.ready import READY
from tests.contract.rows import Rows
from tests.harness.mesh import Answer, Mesh, Person

# What a field holds where its schema alone does not tell.
SAID: dict[str, Any] = {
    "text_hash": "0" * 64,
    "scopes": ["hunter:read"],
    "password": "uma senha bem comprida",
    "new_password": "outra senha bem comprida",
    "due_at": "2026-12-01T12:00:00Z",
    "color": "#64748b",
}
BODIES: dict[str, Callable[[Rows], dict[str, Any]]] = {
    "BulkEdit": lambda rows: {"ids": [rows.id("crm.deals")]},
    "CampaignStart": lambda _: {"channel": "email"},
    "HandoverDraft": lambda rows: {"to_user_id": rows.mesh.person("Comercial").id},
    "MergeChoice": lambda rows: {"survivor_id": rows.id("hunter.leads")},
    "MergeDraft": lambda rows: {
        "survivor_id": rows.id("crm.companies"),
        "absorbed_id": rows.another("crm.companies"),
    },
    "Suppress": lambda _: {"email": "pessoa@exemplo.com.br"},
    "TaggingDraft": lambda rows: {"deal_id": rows.id("crm.deals")},
    "UserDraft": lambda _: {"email": "nova@somos.test", "role": "Comercial"},
}


@dataclass
class Ask:
    """One request."""

    endpoint: Endpoint
    path: dict[str, Any]
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    upload: str | None = None

    def __str__(self) -> str:
        return f"{self.endpoint.method} {self.endpoint.path}"

    def send(self, mesh: Mesh, as_: Person | str | None) -> Answer:
        target = self.endpoint.path.format(**self.path)
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        sent: dict[str, Any] = {"json": self.body}
        if self.upload is not None:
            sent = {"data": self.upload.encode(), "content_type": "text/csv"}
        return mesh.call(f"{self.endpoint.method} {target}?{query}", as_=as_, **sent)


@cache
def endpoints() -> list[Endpoint]:
    """Every endpoint that any function declares."""
    return [endpoint for function in load().values() for endpoint in function.endpoints]


def smallest(endpoint: Endpoint, rows: Rows) -> Ask:
    """With what is required and nothing else; the row it names is in a state that allows it."""
    query = {name: _reference(rows, name) for name, one in _fields(endpoint.query) if one.is_required()}
    ask = Ask(endpoint, path(endpoint, rows), query)
    if "q" in query:
        ask.query["q"] = "zebra"
    if endpoint.upload_name is not None:
        ask.upload = _operation(endpoint)["requestBody"]["content"]["text/csv"]["example"]
    ready = READY.get(str(ask), lambda _: {})(rows)
    ask.path.update(ready.get("path", {}))
    if endpoint.body is not None:
        ask.body = _body(endpoint, rows) | ready.get("body", {})
    return ask


def path(endpoint: Endpoint, rows: Rows) -> dict[str, Any]:
    """The ids that its address needs."""
    return {name: _in_path(endpoint, name, rows) for name in endpoint.params}


def _body(endpoint: Endpoint, rows: Rows) -> dict[str, Any]:
    assert endpoint.body is not None
    schema = endpoint.body.model_json_schema()
    made = _required(schema, schema.get("$defs", {}), rows)
    made.update(BODIES.get(endpoint.body.__name__, lambda _: {})(rows))
    try:
        endpoint.body.model_validate_json(json.dumps(made, default=str))
    except ValueError as error:
        raise AssertionError(f"say in tests/contract/asking.py what {endpoint.body.__name__} holds: {error}") from error
    return made


def _required(schema: dict[str, Any], shared: dict[str, Any], rows: Rows) -> dict[str, Any]:
    names = schema.get("required", [])
    return {name: _value(name, schema["properties"][name], shared, rows) for name in names}


def _value(name: str, schema: dict[str, Any], shared: dict[str, Any], rows: Rows) -> Any:
    if "$ref" in schema:
        return _value(name, shared[schema["$ref"].rsplit("/", 1)[1]], shared, rows)
    if name in SAID:
        return SAID[name]
    if schema.get("format") == "uuid":
        return _reference(rows, name)
    if "properties" in schema:
        return _required(schema, shared, rows)
    if schema.get("type") == "array":
        return [_value(name, schema["items"], shared, rows)] * schema.get("minItems", 0)
    if "enum" in schema:
        return schema["enum"][0]
    if "examples" in schema:
        return schema["examples"][0]
    return {
        "string": {"date": "2026-12-15"}.get(schema.get("format", ""), "texto"),
        "integer": schema.get("minimum", 1),
        "object": {},
    }.get(schema.get("type", ""))


def _reference(rows: Rows, name: str) -> UUID | str:
    if name == "q":
        return "zebra"
    return rows.owner if name.endswith("_user_id") else rows.named(name) or uuid7()


def _in_path(endpoint: Endpoint, name: str, rows: Rows) -> Any:
    """`/api/v1/deals/{id}` is a row of deals; `{lead_id}` says itself."""
    if endpoint.params[name] is not UUID:
        return "desconhecido"
    if endpoint.function == "mesh-dead":
        return rows.dead()
    segment = endpoint.path.split(f"/{{{name}}}")[0].rsplit("/", 1)[1].replace("-", "_")
    row = rows.named(segment if name == "id" else name)
    assert row, f"say in tests/contract/asking.py which row {endpoint.path} names"
    return row


def _fields(model: Any) -> list[tuple[str, Any]]:
    return list(model.model_fields.items()) if model else []


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = document()["paths"][endpoint.path][endpoint.method.lower()]
    return found


@cache
def document() -> dict[str, Any]:
    """The derived OpenAPI."""
    made: dict[str, Any] = json.loads(openapi(load().values()))
    return made
