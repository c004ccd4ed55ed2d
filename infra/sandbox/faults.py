"""Faults on request: the next N answers of a provider are refused, late, garbled or lost."""

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request

from infra.sandbox.state import Row, State

KINDS = ("status", "slow", "malformed", "lost", "lost_502", "answer")

# What each provider says when it refuses; `status` alone picks the right body.
BODIES: dict[str, Callable[[int], Any]] = {
    "serpapi": lambda status: {
        "error": "Your account has exceeded its hourly throughput limit."
        if status == 429
        else "We were unable to process your search. Please try again."
    },
    "evolution": lambda status: {
        "status": status,
        "error": HTTPStatus(status).phrase,
        "response": {"message": ["Error: Connection Closed" if status == 400 else HTTPStatus(status).phrase]},
    },
    "resend": lambda status: {
        "statusCode": status,
        "name": "rate_limit_exceeded" if status == 429 else "internal_server_error",
        "message": "Too many requests. You can only make 5 requests per second."
        if status == 429
        else "An unexpected error occurred.",
    },
    "openai": lambda status: {
        "error": {
            "message": "Rate limit reached for requests" if status == 429 else "The server had an error",
            "type": "requests" if status == 429 else "server_error",
            "param": None,
            "code": "rate_limit_exceeded" if status == 429 else None,
        }
    },
}
HEADERS_429 = {
    "resend": {
        "retry-after": "1",
        "ratelimit-limit": "5",
        "ratelimit-remaining": "0",
        "ratelimit-reset": "1",
    },
    "openai": {"retry-after": "1", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"},
}


class Faults:
    """Planned faults, taken one per request by the first one whose provider, method and path fit."""

    def __init__(self, state: State) -> None:
        self._state = state

    def plan(self, fault: dict[str, Any]) -> int:
        return self._state.insert(
            "faults",
            provider=fault["provider"],
            method=fault.get("method"),
            path=fault.get("path", ""),
            remaining=int(fault.get("times", 1)),
            fault=json.dumps(fault),
        )

    def clear(self) -> None:
        self._state.run("DELETE FROM faults")

    def pending(self) -> list[Row]:
        rows = self._state.rows("SELECT id, remaining, fault FROM faults WHERE remaining > 0 ORDER BY id")
        return [{"id": r["id"], "remaining": r["remaining"], **json.loads(r["fault"])} for r in rows]

    def take(self, provider: str, method: str, path: str) -> Row | None:
        with self._state.write():
            row = self._state.one(
                "SELECT id, fault FROM faults WHERE remaining > 0 AND provider = ?"
                " AND (method IS NULL OR method = ?) AND substr(?, 1, length(path)) = path ORDER BY id LIMIT 1",
                provider, method, path,
            )  # fmt: skip
            if row is None:
                return None
            self._state.run("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", row["id"])
        fault: Row = json.loads(row["fault"])
        return fault


def pause() -> None:
    """Wait as a `slow` fault asks, once: handlers with something in flight call it in the middle of it."""
    fault = g.get("fault")
    if fault and fault["kind"] == "slow" and not g.get("paused"):
        g.paused = True
        time.sleep(float(fault.get("ms", 1000)) / 1000)


def install(app: Flask, faults: Faults, state: State) -> None:
    """Wrap every provider's answers in the planned faults, and count the calls."""

    @app.before_request
    def meet_fault() -> Response | None:
        if request.blueprint in (None, "control"):
            return None
        provider = str(request.blueprint)
        g.provider, g.called = provider, called_path(provider)
        g.fault = fault = faults.take(provider, request.method, g.called)
        if fault and fault["kind"] == "status":
            return refusal(provider, fault)
        return None

    @app.after_request
    def bend_answer(response: Response) -> Response:
        fault = g.get("fault")
        if fault:
            pause()
            if fault["kind"] == "malformed":
                body = response.get_data()
                response.set_data(body[: max(1, len(body) // 2)])
            elif fault["kind"] == "lost":
                request.environ.get("sandbox.drop", lambda: None)()
                response = Response("", 502)
            elif fault["kind"] == "lost_502":
                response = Response("<html><h1>502 Bad Gateway</h1></html>", 502, mimetype="text/html")
        if g.get("provider"):
            state.run(
                "INSERT INTO calls VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                g.provider, request.method, g.called, response.status_code,
            )  # fmt: skip
        return response


def called_path(provider: str) -> str:
    """The path as the caller knows it: without the provider's prefix; host and path for a site."""
    if provider == "sites":
        return request.path.removeprefix("/_site/")
    return request.path.removeprefix(f"/{provider}") or "/"


def refusal(provider: str, fault: Row) -> Response:
    status = int(fault.get("status", 500))
    body = fault.get("body")
    if body is None:
        body = BODIES[provider](status) if provider in BODIES else {"message": "erro simulado"}
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    response = Response(text, status, mimetype="text/html" if isinstance(body, str) else "application/json")
    if status == 429:
        response.headers.update(HEADERS_429.get(provider, {"retry-after": "1"}))
    response.headers.update(fault.get("headers") or {})
    return response
