"""The routes of Resend: keys, limits, validation, idempotency."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from infra.sandbox.clock import iso, now
from infra.sandbox.config import Config
from infra.sandbox.faults import pause
from infra.sandbox.resend import Resend, bare
from infra.sandbox.state import Row
from infra.sandbox.world import World

KEY_LIFE_S = 24 * 3600
TEST_DOMAINS = ("example.com", "test.com")


def failure(status: int, name: str, message: str) -> tuple[Response, int]:
    return jsonify(statusCode=status, name=name, message=message), status


class Throttle:
    """Resend's limit per second and team; 0 = announced but not enforced."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._taken: list[float] = []

    @property
    def limit(self) -> int:
        return self._config.resend_per_second or 5

    def take(self) -> tuple[bool, int]:
        """Whether this request may pass, and how many are left in this second."""
        with self._lock:
            moment = time.monotonic()
            self._taken = [t for t in self._taken if moment - t < 1.0]
            allowed = not self._config.resend_per_second or len(self._taken) < self.limit
            if allowed:
                self._taken.append(moment)
            return allowed, max(0, self.limit - len(self._taken))


def blueprint(world: World, resend: Resend) -> Blueprint:
    bp = Blueprint("resend", __name__, url_prefix="/resend")
    throttle = Throttle(world.config)

    @bp.before_request
    def admit() -> Any:
        if not request.headers.get("User-Agent"):
            return Response("error code: 1010", 403, mimetype="text/plain")
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key:
            return failure(401, "missing_api_key", "Missing API Key")
        if not hmac.compare_digest(key.encode(), world.config.resend_api_key.encode()):
            return failure(403, "invalid_api_key", "API key is invalid")
        allowed, request.environ["sandbox.left"] = throttle.take()
        if not allowed:
            answer, status = failure(429, "rate_limit_exceeded", "Too many requests. Limit is 5 per second.")
            answer.headers["retry-after"] = "1"
            return answer, status
        return None

    @bp.after_request
    def announce_limit(response: Response) -> Response:
        left = request.environ.get("sandbox.left")
        if left is not None:
            limits = {"ratelimit-limit": str(throttle.limit), "ratelimit-remaining": str(left)}
            response.headers.update({**limits, "ratelimit-reset": "1"})
        return response

    @bp.post("/emails")
    def send() -> Any:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            return failure(400, "validation_error", "The request body must be a JSON object.")
        key = request.headers.get("Idempotency-Key")
        if key is not None and not 1 <= len(key) <= 256:
            return failure(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        if wrong := invalid(body):
            return wrong
        if key is None:
            pause()
            return jsonify(id=resend.send(body, None))
        return once(world, key, body, lambda: {"id": resend.send(body, key)})

    @bp.get("/emails/<email_id>")
    def email(email_id: str) -> Any:
        row = world.state.one("SELECT * FROM messages WHERE channel='email' AND id=?", email_id)
        if row is None:
            return failure(404, "not_found", "Email not found")
        extra = json.loads(row["extra"])
        return jsonify(
            object="email", id=row["id"], to=extra["to"], created_at=iso(row["created_at"]),
            subject=row["subject"], html=row["html"], text=row["text"], cc=extra["cc"], bcc=extra["bcc"],
            reply_to=extra["reply_to"], last_event=row["status"], tags=extra["tags"], **{"from": extra["from"]},
        )  # fmt: skip

    @bp.get("/emails/receiving/<email_id>")
    def received(email_id: str) -> Any:
        row = world.state.one("SELECT * FROM inbound WHERE channel='email' AND id=?", email_id)
        if row is None:
            return failure(404, "not_found", "Email not found")
        mail = json.loads(row["extra"])
        html = mail.get("html") or f"<p>{row['text']}</p>"
        kept = {k: mail[k] for k in ("from", "to", "created_at", "subject", "cc", "bcc", "message_id", "attachments")}
        return jsonify(
            object="email",
            id=row["id"],
            html=html,
            text=None if mail.get("html") else row["text"],
            headers=mail["headers"],
            reply_to=[],
            **kept,
        )

    @bp.post("/webhooks")
    def add_webhook() -> Any:
        body = request.get_json(silent=True) or {}
        if not body.get("endpoint"):
            return failure(422, "missing_required_field", "Missing `endpoint` field.")
        webhook_id = world.state.new_uuid("endpoint")
        secret = "whsec_" + world.state.token("secret", 32)
        world.state.insert(
            "email_endpoints", id=webhook_id, endpoint=body["endpoint"], events=json.dumps(body.get("events") or []),
            secret=secret,
        )  # fmt: skip
        return jsonify(object="webhook", id=webhook_id, signing_secret=secret), 201

    return bp


def invalid(body: Row) -> tuple[Response, int] | None:
    """The refusal of a mail that lacks something or says something impossible."""
    for name in ("from", "to", "subject"):
        if not body.get(name):
            return failure(422, "missing_required_field", f"Missing `{name}` field.")
    if not (body.get("html") or body.get("text")):
        return failure(422, "missing_required_field", "Missing `html` or `text` field.")
    if not bare(str(body["from"])):
        return failure(422, "invalid_from_address", "Invalid `from` field. Use `email@example.com` or `Name <...>`.")
    to = [body["to"]] if isinstance(body["to"], str) else body["to"]
    if not isinstance(to, list) or not 1 <= len(to) <= 50 or not all(bare(str(a)) for a in to):
        return failure(422, "validation_error", "Invalid `to` field: 1 to 50 addresses.")
    if any(bare(a).endswith(tuple(f"@{d}" for d in TEST_DOMAINS)) for a in to):
        return failure(422, "validation_error", "Invalid `to` field: use our test addresses, not `example.com`.")
    return None


def once(world: World, key: str, body: Row, send: Callable[[], Row]) -> Any:
    """Idempotency-Key: the same key and body get the same answer for 24 h and nothing is sent again."""
    store = world.state
    body_hash = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    with store.write():
        store.run("DELETE FROM idempotency WHERE created_at < ?", now() - KEY_LIFE_S)
        row = store.one("SELECT * FROM idempotency WHERE key=?", key)
        if row is None:
            store.insert("idempotency", key=key, body_hash=body_hash, created_at=now())
    if row is not None:
        if row["body_hash"] != body_hash:
            return failure(409, "invalid_idempotent_request", "This key was used with another request body.")
        if row["response"] is None:
            return failure(409, "concurrent_idempotent_requests", "A request with this key is in progress.")
        return jsonify(json.loads(row["response"]))
    pause()
    try:
        with store.write():
            answer = send()
            store.run("UPDATE idempotency SET response=? WHERE key=?", json.dumps(answer), key)
    except BaseException:
        store.run("DELETE FROM idempotency WHERE key=? AND response IS NULL", key)
        raise
    return jsonify(answer)
