"""`gateway/openapi.json`: the public API as the declarations state it, OpenAPI 3.1."""

import inspect
import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from somos.mesh.declare import Endpoint, Function, Webhook
from somos.mesh.derive.emitted import emitted_by
from somos.mesh.derive.examples import Examples
from somos.mesh.derive.models import Models
from somos.mesh.derive.permissions import reaches
from somos.mesh.derive.places import file_of
from somos.mesh.derive.responses import PROBLEM, answers, shared_answers
from somos.mesh.idempotency import KEY_LONGEST, KEY_PATTERN

VERSION = "1.0"
DESCRIPTION = """\
API da Somos Produtora: prospecção, contato com aprovação de uma pessoa, funil comercial.

- **Entrar**: `POST /api/v1/auth/login` devolve um token de acesso de 15 minutos; mande-o em \
`Authorization: Bearer`. Programas usam uma chave de API (`sk_...`) no mesmo cabeçalho.
- **Erros**: sempre `application/problem+json` (RFC 9457): `type` é estável, `detail` é uma frase para quem lê.
- **Listas**: `?limit` e `?cursor`; a resposta traz `items` e `next`, que é o cursor da página seguinte.
- **Repetir sem medo**: todo POST cuja resposta não é um segredo aceita `Idempotency-Key`, de 1 a 255 caracteres \
visíveis, sem espaços nem acentos. A chave é de quem a mandou e vale dois dias: o mesmo pedido recebe a mesma \
resposta, outro pedido recebe 409.
- **Escrita concorrente**: o que tem `ETag` aceita `If-Match`; versão velha recebe 412.
- **Dinheiro** em centavos inteiros; **horas** em UTC, ISO 8601; **ids** UUIDv7.
- **Tempo real**: `GET /ws` (WebSocket); a primeira mensagem é `{"token": "..."}`.
"""
HEADERS = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Chave escolhida por quem pede; repetir o pedido com ela devolve a primeira resposta.",
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LONGEST, "pattern": KEY_PATTERN},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "O ETag lido; se o registro mudou desde então a resposta é 412.",
        "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
    },
}


def openapi(functions: Iterable[Function]) -> str:
    """The text of the file."""
    functions = list(functions)
    models = Models()
    for function in functions:
        for endpoint in function.endpoints:
            models.take(endpoint)
    schemas = models.schemas()
    examples = Examples(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for function in functions:
        for endpoint in function.endpoints:
            operations = paths.setdefault(endpoint.path, {})
            operations[endpoint.method.lower()] = _operation(function, endpoint, models, examples)
        for webhook in function.webhooks:
            paths.setdefault(webhook.path, {})["post"] = _report(function, webhook)
    content = {
        "openapi": "3.1.0",
        "info": {"title": "Somos", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/", "description": "Este endereço"}],
        "tags": [{"name": module} for module in dict.fromkeys(function.module for function in functions)],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "acesso": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "O token de acesso de uma pessoa, ou a chave de API (`sk_...`) de um programa; "
                    "chaves nunca aprovam, pagam nem mudam papéis.",
                },
            },
            "parameters": HEADERS,
            "headers": {
                "ETag": {
                    "description": "Versão do registro, para If-Match.",
                    "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
                }
            },
            "responses": shared_answers(),
            "schemas": {**schemas, "Problem": PROBLEM},
        },
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def _operation(function: Function, endpoint: Endpoint, models: Models, examples: Examples) -> dict[str, Any]:
    doc = inspect.getdoc(endpoint.handler) or ""
    summary, _, more = doc.partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": f"{function.module}_{endpoint.handler.__name__}",
        "tags": [function.module],
        "summary": " ".join(summary.split()).rstrip(".") or _plain_summary(endpoint),
    }
    if more.strip():
        operation["description"] = more.strip()
    if endpoint.allow == "anyone":
        operation["security"] = []
    else:
        operation["security"] = [{"acesso": []}]
    parameters = [*_path_parameters(endpoint, examples), *models.query(endpoint, examples), *_headers(endpoint)]
    if parameters:
        operation["parameters"] = parameters
    if request := _request(endpoint, models, examples):
        operation["requestBody"] = request
    operation["responses"] = answers(endpoint, models, examples)
    operation["x-function"] = function.name
    operation["x-file"] = file_of(function)
    operation["x-allow"] = endpoint.allow
    operation["x-roles"] = {str(role): word for role, word in reaches(endpoint.allow).items()}
    if events := emitted_by(endpoint.handler).events:
        operation["x-emits"] = sorted(event.type for event in events)
    return operation


def _plain_summary(endpoint: Endpoint) -> str:
    """What a handler without words of its own does."""
    if endpoint.method in ("PUT", "PATCH", "DELETE"):
        return "Excluir" if endpoint.method == "DELETE" else "Alterar"
    if endpoint.method == "GET":
        return "Ver" if endpoint.path.endswith("}") else "Listar"
    return "Criar" if endpoint.status == 201 and not endpoint.params else endpoint.handler.__name__.replace("_", " ")


def _path_parameters(endpoint: Endpoint, examples: Examples) -> list[dict[str, Any]]:
    parameters = []
    for name, kind in endpoint.params.items():
        schema: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 200}
        if kind is UUID:
            schema = {"type": "string", "format": "uuid"}
        elif kind is int:
            schema = {"type": "integer", "minimum": 0}
        parameters.append(
            {"name": name, "in": "path", "required": True, "schema": schema, **examples.shown(schema, name)}
        )
    return parameters


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    parameters = []
    if endpoint.method == "POST" and endpoint.replays:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if endpoint.method in ("PUT", "PATCH", "DELETE", "POST") and endpoint.params:
        parameters.append({"$ref": "#/components/parameters/IfMatch"})
    return parameters


def _request(endpoint: Endpoint, models: Models, examples: Examples) -> dict[str, Any] | None:
    if endpoint.body is not None:
        schema = models.reference(endpoint.body, "validation")
        content = {"schema": schema, **examples.shown(schema)}
        needed = any(field.is_required() for field in endpoint.body.model_fields.values())
        return {"required": needed, "content": {"application/json": content}}
    if endpoint.upload_name is not None:
        file = {"type": "string", "contentMediaType": "text/csv"}
        form = {"type": "object", "required": ["file"], "properties": {"file": file}}
        return {
            "required": True,
            "content": {
                "text/csv": {
                    "schema": file,
                    "example": "empresa;cidade;telefone\nEstúdio Aurora;São Paulo;11 3333-4444\n",
                },
                "multipart/form-data": {"schema": form},
            },
        }
    return None


def _report(function: Function, webhook: Webhook) -> dict[str, Any]:
    """What a provider sends; the signature is the provider's own, so no scheme of ours applies."""
    title = (inspect.getdoc(webhook.consumer.handler) or function.doc).split("\n\n")[0]
    return {
        "operationId": f"{function.module}_{webhook.consumer.handler.__name__}",
        "tags": [function.module],
        "summary": " ".join(title.split()).rstrip("."),
        "description": f"Chamado por `{webhook.signed_by}`, com a assinatura dele; é guardado como veio e "
        "processado depois.",
        "security": [],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {
            "200": {
                "description": "Recebido (também quando repetido)",
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "properties": {"ok": {"const": True}},
                            "required": ["ok"],
                        }
                    }
                },
            },
            **{status: {"$ref": f"#/components/responses/Problem{status}"} for status in ("401", "422", "503")},
        },
        "x-function": function.name,
        "x-file": file_of(function),
    }
