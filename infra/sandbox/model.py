"""An OpenAI-compatible endpoint in front of the written rules: chat completions and the list of models."""

import hmac
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from infra.sandbox.clock import now
from infra.sandbox.rules import BY_SCHEMA
from infra.sandbox.state import Row
from infra.sandbox.world import World

MODELS = (
    "gpt-6-luna",
    "gpt-6.1-terra",
    "gpt-6.1-sol",
    "gpt-5.4-mini",
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4.1-mini",
)
RETIRED = re.compile(r"^(gpt-3\.5-turbo|gpt-4(-turbo.*|-\d{4}.*)?|o1.*|o3-mini|o4-mini|gpt-4o-2024-05-13)$")
REASONING = re.compile(r"^(gpt-5|gpt-6|o\d)")
FREE_TEXT = "Resposta do mundo simulado: as regras deste modelo só conhecem respostas com esquema."
CHARS_PER_TOKEN = 4


def failure(status: int, message: str, code: str | None, param: str | None = None) -> tuple[Response, int]:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return jsonify(error={"message": message, "type": kind, "param": param, "code": code}), status


def text_of(content: Any) -> str:
    """A message's text, whether it came as a string or in parts."""
    if isinstance(content, list):
        return "\n".join(str(p.get("text", "")) for p in content if isinstance(p, dict))
    return str(content or "")


def minimal(schema: Any, root: Any = None, name: str = "") -> Any:
    """The smallest value a JSON schema accepts: what any schema without rules of its own is answered with."""
    root = schema if root is None else root
    if not isinstance(schema, dict):
        return None
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target.get(part, {})
        return minimal(target, root, name)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            choices = schema[key]
            return None if {"type": "null"} in choices else minimal(choices[0], root, name)
    if schema.get("allOf"):
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            value = minimal(part, root, name)
            if not isinstance(value, dict):
                return value
            merged |= value
        return merged
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = "null" if "null" in kind else kind[0]
    make = MINIMAL.get(kind or ("object" if "properties" in schema else ""))
    return make(schema, root) if make else None


def _minimal_object(schema: dict[str, Any], root: Any) -> Any:
    required = schema.get("required", list(schema.get("properties", {})))
    return {n: minimal(schema["properties"][n], root, n) for n in required if n in schema.get("properties", {})}


def _minimal_number(schema: dict[str, Any], _root: Any) -> Any:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1 if "exclusiveMinimum" in schema else 0)
    step = schema.get("multipleOf")
    return low if not step or low % step == 0 else low + step - low % step


def _minimal_string(schema: dict[str, Any], _root: Any) -> str:
    known = {
        "date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z", "time": "00:00:00", "email": "x@x-exemplo.com.br",
        "uri": "http://x-exemplo.com.br/", "uuid": "00000000-0000-4000-8000-000000000000",
    }  # fmt: skip
    value = known.get(schema.get("format", ""), "")
    return str(value or "x" * int(schema.get("minLength", 0)))


MINIMAL: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "object": _minimal_object,
    "array": lambda schema, root: [minimal(schema.get("items", {}), root) for _ in range(schema.get("minItems", 0))],
    "string": _minimal_string,
    "integer": _minimal_number,
    "number": _minimal_number,
    "boolean": lambda *_: False,
    "null": lambda *_: None,
}


def answer_for(name: str, schema: Any, prompt: str) -> Any:
    """By the rules written for this schema name, else the smallest valid instance."""
    fault = g.get("fault")
    if fault and fault["kind"] == "answer":  # a test wants the model to say exactly this
        return fault.get("body")
    rules = BY_SCHEMA.get(name)
    return rules(prompt) if rules else minimal(schema)


def chosen_tool(body: Row) -> Row | None:
    """The function the caller forces, or the first one when tools are offered and none was called yet."""
    tools = [t["function"] for t in body.get("tools") or [] if t.get("type") == "function"]
    choice = body.get("tool_choice", "auto")
    if not tools or choice == "none":
        return None
    if isinstance(choice, dict):
        name = choice.get("function", {}).get("name")
        return next((t for t in tools if t["name"] == name), None)
    called = any(m.get("role") == "tool" for m in body["messages"])
    return tools[0] if choice == "required" or not called else None


def blueprint(world: World) -> Blueprint:
    bp = Blueprint("openai", __name__, url_prefix="/openai")

    @bp.before_request
    def admit() -> Any:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and hmac.compare_digest(key.encode(), world.config.openai_api_key.encode()):
            return None
        return failure(401, "Incorrect API key provided.", "invalid_api_key")

    @bp.after_request
    def number_request(response: Response) -> Response:
        response.headers["x-request-id"] = "req_" + world.state.token("request", 24)
        return response

    @bp.get("/v1/models")
    def models() -> Response:
        return jsonify(
            object="list",
            data=[{"id": m, "object": "model", "created": 1767225600, "owned_by": "sandbox"} for m in MODELS],
        )

    @bp.post("/v1/chat/completions")
    def complete() -> Any:
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or not body.get("model"):
            return failure(400, "you must provide a model parameter", None, "model")
        if not isinstance(body.get("messages"), list) or not body["messages"]:
            return failure(400, "Missing required parameter: 'messages'.", "missing_required_parameter", "messages")
        model = str(body["model"])
        if RETIRED.match(model):
            return failure(404, f"The model `{model}` does not exist or has been retired.", "model_not_found")
        if REASONING.match(model):
            if "max_tokens" in body:
                return failure(400, "Use 'max_completion_tokens' instead.", "unsupported_parameter", "max_tokens")
            if body.get("temperature") not in (None, 1, 1.0):
                return failure(400, "Only the default (1) is supported.", "unsupported_value", "temperature")
        message = reply(body)
        completion = wrap(body, model, message)
        if body.get("stream"):
            return Response(stream(completion, body), mimetype="text/event-stream")
        return jsonify(completion)

    def reply(body: Row) -> Row:
        prompt = "\n".join(text_of(m.get("content")) for m in body["messages"] if m.get("role") == "user")
        message: Row = {"role": "assistant", "content": None, "refusal": None}
        response_format = body.get("response_format") or {}
        tool = chosen_tool(body)
        if response_format.get("type") == "json_schema":
            schema = response_format.get("json_schema", {})
            answer = answer_for(schema.get("name", ""), schema.get("schema", {}), prompt)
            message["content"] = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        elif tool:
            answer = answer_for(tool["name"], tool.get("parameters", {}), prompt)
            arguments = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
            call_id = "call_" + world.state.token("call", 24)
            call = {
                "id": call_id,
                "type": "function",
                "function": {"name": tool["name"], "arguments": arguments},
            }
            message["tool_calls"] = [call]
        else:
            message["content"] = "{}" if response_format.get("type") == "json_object" else FREE_TEXT
        return message

    def wrap(body: Row, model: str, message: Row) -> Row:
        tokens_in = sum(len(text_of(m.get("content"))) for m in body["messages"]) // CHARS_PER_TOKEN + 1
        tokens_out = len(json.dumps(message, ensure_ascii=False)) // CHARS_PER_TOKEN
        return {
            "id": "chatcmpl-" + world.state.token("completion", 24),
            "object": "chat.completion",
            "created": int(now()),
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "logprobs": None,
                    "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
                }
            ],
            "usage": {
                "prompt_tokens": tokens_in,
                "completion_tokens": tokens_out,
                "total_tokens": tokens_in + tokens_out,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
            "service_tier": "default",
            "system_fingerprint": "fp_sandbox",
        }

    return bp


def stream(completion: Row, body: Row) -> Iterator[str]:
    """The same answer as server-sent events: one piece, the end, the usage if asked for."""
    choice = completion["choices"][0]
    base = {**{k: completion[k] for k in ("id", "created", "model")}, "object": "chat.completion.chunk"}
    calls = [{"index": n, **c} for n, c in enumerate(choice["message"].get("tool_calls") or [])]
    delta = {"role": "assistant", "content": choice["message"]["content"]} | ({"tool_calls": calls} if calls else {})
    pieces: list[Row] = [
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]},
    ]
    if (body.get("stream_options") or {}).get("include_usage"):
        pieces.append({**base, "choices": [], "usage": completion["usage"]})
    for piece in pieces:
        yield f"data: {json.dumps(piece, ensure_ascii=False)}\n\n"
    yield "data: [DONE]\n\n"
