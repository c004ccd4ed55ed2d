"""The derived OpenAPI says what the declarations say, and its examples are true to its schemas."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from somos.mesh.derive.openapi import openapi
from tests.contract.declared import declared

DEALS = """
    from datetime import date
    from typing import Literal
    from pydantic import Field
    from somos.mesh.problems import Conflict

    class DealFilter(Filter):
        stage: Literal["novo", "ganho"] | None = None
        close_date_from: date | None = None
        tags: list[str] = []
        sort: Literal["-id", "created_at"] = "-id"

    class DealDraft(Body):
        title: str = Field(min_length=1, max_length=200)
        value_cents: int = Field(ge=0)
        note: str | None = None
        contact: "Person | None" = None

    class Person(Body):
        name: str
        email: str = Field(pattern=r"^[^@ ]+@[^@ ]+$")

    class DealView(View):
        id: UUID
        title: str
        version: int

    @http.get("/api/v1/deals", allow="crm:read")
    def deals_list(filter: DealFilter, ctx) -> Page[DealView]:
        '''Deals that you may see.'''

    @http.post("/api/v1/deals", allow="crm:write")
    def deals_create(draft: DealDraft, ctx) -> DealView: ...

    @http.patch("/api/v1/deals/{id}", allow="crm:write")
    def deals_change(id: UUID, draft: DealDraft, ctx) -> DealView: ...

    @http.delete("/api/v1/deals/{id}", allow="crm:write")
    def deals_remove(id: UUID, ctx) -> None: ...

    @http.post("/api/v1/deals/import", allow="crm:write")
    def deals_import(upload: Upload, ctx) -> Accepted: ...

    @http.get("/api/v1/deals/export", allow="crm:read")
    def deals_export(ctx) -> Download: ...

    @http.get("/api/v1/open", allow="anyone")
    def deals_open(ctx) -> None: ...

    def _refusal():
        return Conflict("Ainda não")

    @http.get("/api/v1/deals/{id}/result", allow="crm:read")
    def deals_result(id: UUID, ctx) -> DealView:
        raise _refusal()
"""
# Another module's model of the same name: they must not be mixed up.
LEADS = """
    class DealView(View):
        lead_id: UUID

    @http.get("/api/v1/leads/{id}", allow="hunter:read")
    def leads_show(id: UUID, ctx) -> DealView: ...

    @webhook("/webhook/whatsapp", signed_by="evolution")
    def hook_whatsapp(event: Body, ctx) -> None: ...
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with declared(tmp_path_factory.mktemp("declared"), crm__deals=DEALS, hunter__leads=LEADS) as functions:
        return json.loads(openapi(functions))  # type: ignore[no-any-return]


def test_it_loads_as_openapi_and_every_operation_can_be_generated(spec: dict[str, Any]) -> None:
    loaded = schemathesis.openapi.from_dict(spec)
    loaded.validate()
    operations = [result.ok() for result in loaded.get_all_operations()]
    assert len(operations) == 10


def test_a_post_takes_an_idempotency_key_and_a_write_of_one_row_takes_if_match(spec: dict[str, Any]) -> None:
    assert _refs(spec["paths"]["/api/v1/deals"]["post"]) == {"IdempotencyKey"}
    assert _refs(spec["paths"]["/api/v1/deals/{id}"]["patch"]) == {"IfMatch"}
    assert "ETag" in spec["paths"]["/api/v1/deals/{id}"]["patch"]["responses"]["200"]["headers"]


def test_statuses_are_those_that_the_declaration_implies(spec: dict[str, Any]) -> None:
    statuses = {
        f"{method} {path}": " ".join(operation["responses"])
        for path, operations in spec["paths"].items()
        for method, operation in operations.items()
    }
    assert statuses == {
        "get /api/v1/deals": "200 401 403 404 422 429 503",
        "post /api/v1/deals": "201 400 401 403 404 409 413 415 422 429 503",
        "patch /api/v1/deals/{id}": "200 400 401 403 404 409 412 413 415 422 429 503",
        "delete /api/v1/deals/{id}": "204 401 403 404 409 412 422 429 503",
        "post /api/v1/deals/import": "202 400 401 403 404 409 413 415 422 429 503",
        "get /api/v1/deals/export": "200 401 403 404 422 429 503",
        "get /api/v1/open": "204 401 404 422 429 503",
        "get /api/v1/deals/{id}/result": "200 401 403 404 409 422 429 503",
        "get /api/v1/leads/{id}": "200 401 403 404 422 429 503",
        "post /webhook/whatsapp": "200 401 422 503",
    }


def test_the_query_never_asks_for_null(spec: dict[str, Any]) -> None:
    parameters = {p["name"]: p["schema"] for p in spec["paths"]["/api/v1/deals"]["get"]["parameters"]}
    assert parameters["stage"] == {"type": "string", "enum": ["novo", "ganho"]}
    assert parameters["close_date_from"] == {"type": "string", "format": "date"}
    assert parameters["limit"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert "anyOf" not in json.dumps(parameters)


def test_equal_names_of_two_modules_stay_apart(spec: dict[str, Any]) -> None:
    def fields(path: str) -> set[str]:
        schema = spec["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        return set(_resolve(spec, schema)["properties"])

    assert fields("/api/v1/leads/{id}") == {"lead_id"}
    assert fields("/api/v1/deals") == {"items", "next"}


def test_every_text_of_a_body_states_its_limit(spec: dict[str, Any]) -> None:
    assert spec["components"]["schemas"]["Person"]["properties"]["name"]["maxLength"] == 20_000
    assert spec["components"]["schemas"]["DealDraft"]["properties"]["title"]["maxLength"] == 200


def test_each_operation_says_who_may_and_where_it_is_written(spec: dict[str, Any]) -> None:
    operation = spec["paths"]["/api/v1/deals"]["post"]
    assert operation["x-roles"] == {
        "Admin": "sim", "Diretor": "sim", "Comercial": "próprios", "Agente_IA": "-", "Cliente": "-",
    }  # fmt: skip
    assert operation["x-function"] == "crm-deals"
    assert operation["security"] == [{"acesso": []}]
    assert spec["paths"]["/api/v1/open"]["get"]["security"] == []


def test_every_example_is_true_to_its_schema(spec: dict[str, Any]) -> None:
    examples = list(_examples(spec))
    assert len(examples) >= 10
    for schema, example in examples:
        document = {**schema, "components": spec["components"]}
        jsonschema_rs.validator_for(document, validate_formats=True).validate(example)


def test_deriving_twice_gives_the_same_text(tmp_path: Path) -> None:
    with declared(tmp_path / "a", crm__deals=DEALS) as functions:
        first = openapi(functions)
    with declared(tmp_path / "a", crm__deals=DEALS) as functions:
        assert openapi(functions) == first


def _refs(operation: dict[str, Any]) -> set[str]:
    return {p["$ref"].rsplit("/", 1)[1] for p in operation["parameters"] if "$ref" in p}


def _resolve(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]  # type: ignore[no-any-return]
    return schema


def _examples(node: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    if isinstance(node, dict):
        if "example" in node and "schema" in node:
            yield node["schema"], node["example"]
        for value in node.values():
            yield from _examples(value)
    elif isinstance(node, list):
        for item in node:
            yield from _examples(item)
