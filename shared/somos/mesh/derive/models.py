"""JSON Schemas of what endpoints take and give, shared under `components/schemas`."""

import types
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from somos.mesh.declare import Endpoint
from somos.mesh.derive.examples import Examples
from somos.mesh.schemas import Body, Download

TEMPLATE = "#/components/schemas/{model}"
TEXT_LIMIT = Body.model_config.get("str_max_length")


class PlainDefaults(GenerateJsonSchema):
    """pydantic builds a serializer for every default; most are what JSON knows already."""

    def encode_default(self, dft: Any) -> Any:
        return dft if type(dft) in (str, int, bool, types.NoneType) else super().encode_default(dft)


class Models:
    """Collects every model, then names them all at once, so that equal names of two modules stay apart."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[Any, JsonSchemaMode], None] = {}
        self._named: dict[tuple[Any, JsonSchemaMode], dict[str, Any]] = {}
        self._schemas: dict[str, Any] = {}

    def take(self, endpoint: Endpoint) -> None:
        if endpoint.body is not None:
            self._shapes[endpoint.body, "validation"] = None
        if gives_json(endpoint):
            self._shapes[endpoint.returns, "serialization"] = None

    def schemas(self) -> dict[str, Any]:
        """The shared schemas, by name."""
        for key, _ in self._shapes:
            if isinstance(key, type) and issubclass(key, BaseModel):
                key.model_rebuild()  # once, or each shape that holds it would build it again
        inputs = [(key, mode, TypeAdapter(key)) for key, mode in self._shapes]
        references, definitions = TypeAdapter.json_schemas(
            inputs, ref_template=TEMPLATE, schema_generator=PlainDefaults
        )
        self._named = {(key, mode): references[key, mode] for key, mode in self._shapes}
        self._schemas = {name: _readable(schema) for name, schema in sorted(definitions.get("$defs", {}).items())}
        for key, mode in self._shapes:
            if mode == "validation":
                _bound_texts(self._schemas, self._named[key, mode], set())
        return self._schemas

    def reference(self, annotation: Any, mode: Literal["validation", "serialization"]) -> dict[str, Any]:
        return self._named[annotation, mode]

    def query(self, endpoint: Endpoint, examples: Examples) -> list[dict[str, Any]]:
        """One parameter per field of the query model."""
        if endpoint.query is None:
            return []
        schema = endpoint.query.model_json_schema(ref_template=TEMPLATE, schema_generator=PlainDefaults)
        parameters = []
        for name, field in schema.get("properties", {}).items():
            field = _without_null(_inline(field, schema.get("$defs", {})))
            description = field.pop("description", None)
            field.pop("title", None)
            if field.get("type") == "string" and not field.keys() & {"format", "enum", "pattern", "maxLength"}:
                field["maxLength"] = 500
            parameter = {"name": name, "in": "query", "schema": field, **examples.shown(field, name, only_known=True)}
            if description:
                parameter["description"] = description
            if name in schema.get("required", []):
                parameter["required"] = True
            parameters.append(parameter)
        return parameters


def gives_json(endpoint: Endpoint) -> bool:
    return endpoint.returns not in (type(None), None, Download) and endpoint.status != 204


def has_version(annotation: Any) -> bool:
    """Whether the answer carries an ETag."""
    if get_origin(annotation) in (Union, types.UnionType):
        return any(has_version(one) for one in get_args(annotation))
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return is_model and "version" in annotation.model_fields


def _readable(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that pydantic makes of field names: they say the same twice."""
    for field in schema.get("properties", {}).values():
        field.pop("title", None)
    return schema


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """A query string cannot say null: leaving the parameter out does."""
    choices = [choice for choice in field.get("anyOf", []) if choice.get("type") != "null"]
    if "anyOf" in field and len(choices) == 1:
        field = {**{k: v for k, v in field.items() if k != "anyOf"}, **choices[0]}
    if field.get("default", ...) is None:
        field.pop("default")
    return field


def _inline(field: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(field, dict):
        if "$ref" in field:
            target = definitions[field["$ref"].rsplit("/", 1)[1]]
            return _inline({**target, **{k: v for k, v in field.items() if k != "$ref"}}, definitions)
        return {key: _inline(value, definitions) for key, value in field.items()}
    return [_inline(item, definitions) for item in field] if isinstance(field, list) else field


def _bound_texts(schemas: dict[str, Any], node: Any, seen: set[str]) -> None:
    """State the limit that `Body` puts on every text; pydantic enforces it without saying so."""
    if isinstance(node, list):
        for item in node:
            _bound_texts(schemas, item, seen)
        return
    if not isinstance(node, dict):
        return
    name = str(node.get("$ref", "")).rsplit("/", 1)[-1]
    if name and name not in seen:
        seen.add(name)
        _bound_texts(schemas, schemas[name], seen)
    if node.get("type") == "string" and not node.keys() & {"format", "enum", "const", "maxLength"}:
        node["maxLength"] = TEXT_LIMIT
    for key, value in node.items():
        if key not in ("enum", "const", "default", "examples", "required"):
            _bound_texts(schemas, value, seen)
