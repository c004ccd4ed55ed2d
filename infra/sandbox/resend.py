"""E-mail through Resend's protocol: sending with idempotency keys, events signed by Svix, inbound mail."""

import hashlib
import hmac
import json
import re
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import urllib3
from flask import Blueprint, Response, jsonify, request

from infra.sandbox.config import Config
from infra.sandbox.faults import pause
from infra.sandbox.people import Person
from infra.sandbox.state import Row, iso, now
from infra.sandbox.world import World

KEY_LIFE_S = 24 * 3600
TEST_DOMAINS = ("example.com", "test.com")
ADDRESS = re.compile(r"^(?:[^<>]*<)?\s*([^\s<>@]+@[^\s<>@]+\.[^\s<>@]+)\s*>?$")
SINKS = {"delivered": "silence", "bounced": "bounce", "complained": "complaint"}


def failure(status: int, name: str, message: str) -> tuple[Response, int]:
    return jsonify(statusCode=status, name=name, message=message), status


def bare(address: str) -> str:
    """`Ana <ana@x.com.br>` as ana@x.com.br; empty when it is no address."""
    match = ADDRESS.match(address.strip())
    return match.group(1).lower() if match else ""


class Resend:
    """What happens behind the API: the mail's way, the people's answers, and the webhooks about both."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.agenda.register("email.event", self._event_job)
        world.agenda.register("email.answer", self._answer_job)

    def seed(self) -> None:
        """The endpoint named in the configuration, with the secret the receiver was given."""
        config, store = self.world.config, self.world.state
        if config.email_webhook_url:
            store.run("DELETE FROM email_endpoints WHERE id='default'")
            store.insert(
                "email_endpoints", id="default", endpoint=config.email_webhook_url, events="[]",
                secret=config.resend_webhook_secret,
            )  # fmt: skip

    def emit(self, event: str, data: Row) -> None:
        body = {"type": event, "created_at": iso(now()), "data": data}
        for row in self.world.state.rows("SELECT * FROM email_endpoints ORDER BY id"):
            events = json.loads(row["events"])
            if not events or event in events:
                message_id = "msg_" + self.world.state.token("svix", 27)
                self.world.webhooks.queue("resend", event, message_id, row["endpoint"], {}, body, row["secret"])

    def send(self, body: Row, key: str | None) -> str:
        """Accept a mail: from here on it is on its way."""
        world, store = self.world, self.world.state
        recipients = [body["to"]] if isinstance(body["to"], str) else body["to"]
        first = bare(recipients[0])
        sink = first.partition("@")[0].partition("+")[0] if first.endswith("@resend.dev") else ""
        person = None if sink else world.by_email(first)
        temperament = SINKS.get(sink) or (person.temperament if person else "silence")
        with store.write():
            email_id = store.new_uuid("email")
            extra = {
                "from": body["from"], "to": recipients, "tags": body.get("tags") or [],
                "cc": body.get("cc") or [], "bcc": body.get("bcc") or [], "reply_to": body.get("reply_to") or [],
                "message_id": f"<{store.token('message-id', 24)}@email.resend.sandbox>",
                "after_optout": world.opted_out(person),
            }  # fmt: skip
            store.insert(
                "messages", id=email_id, seq=store.serial(), channel="email", sender=body["from"], recipient=first,
                person=person.id if person else None, subject=body["subject"], text=body.get("text"),
                html=body.get("html"), headers=json.dumps(body.get("headers") or {}), idempotency_key=key,
                status="queued", extra=json.dumps(extra), created_at=now(),
            )  # fmt: skip
            self._plan(email_id, first, temperament)
            if person and world.answer_of(person, "email"):
                world.agenda.add("email.answer", world.steps(6), person=person.id, email=email_id)
        return email_id

    def say(self, person: Person, text: str, answered: Row | None = None) -> str:
        """A person writes a mail to us, perhaps as an answer to one of ours."""
        store = self.world.state
        extra = json.loads(answered["extra"]) if answered else {}
        recipient = answered["sender"] if answered else "contato@somos-exemplo.com.br"
        subject = f"Re: {answered['subject']}" if answered else "Contato"
        with store.write():
            email_id = store.new_uuid("inbound-email")
            headers = {"message-id": f"<{store.token('message-id', 24)}@{person.email.rpartition('@')[2]}>"}
            if extra.get("message_id"):
                headers |= {"in-reply-to": extra["message_id"], "references": extra["message_id"]}
            if person.temperament == "out_of_office":
                headers["auto-submitted"] = "auto-replied"
            mail: Row = {
                "email_id": email_id, "message_id": headers["message-id"], "created_at": iso(now()),
                "from": f"{person.name} <{person.email}>", "to": [bare(recipient)], "subject": subject,
                "cc": [], "bcc": [], "received_for": [bare(recipient)], "attachments": [],
            }  # fmt: skip
            store.insert(
                "inbound", id=email_id, channel="email", person=person.id, sender=person.email,
                recipient=bare(recipient), subject=subject, text=text,
                extra=json.dumps({**mail, "headers": headers}), created_at=now(),
            )  # fmt: skip
            self.emit("email.received", mail)
        return email_id

    def unsubscribe(self, person: Person) -> int | None:
        """The person's mail program uses the one-click link of the last mail; None when there is none."""
        row = self.world.state.one(
            "SELECT headers FROM messages WHERE channel='email' AND person=? ORDER BY seq DESC LIMIT 1",
            person.id,
        )
        headers = {k.lower(): v for k, v in json.loads(row["headers"]).items()} if row else {}
        link = re.search(r"<(http[^>]+)>", headers.get("list-unsubscribe", ""))
        if link is None or not urlsplit(link.group(1)).hostname:
            return None
        body = headers.get("list-unsubscribe-post", "")
        with urllib3.PoolManager(retries=False) as http:
            answer = http.request(
                "POST", link.group(1), body=body.encode(), timeout=10.0,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )  # fmt: skip
        return int(answer.status)

    def _plan(self, email_id: str, recipient: str, temperament: str) -> None:
        suppressed = self.world.state.one(
            "SELECT 1 FROM messages WHERE channel='email' AND recipient=? AND status IN ('bounced', 'complained')",
            recipient,
        )
        if suppressed:
            course = ["suppressed"]
        elif temperament == "bounce":
            course = ["sent", "bounced"]
        elif temperament == "complaint":
            course = ["sent", "delivered", "complained"]
        elif temperament == "silence":
            course = ["sent", "delivered"]
        else:
            course = ["sent", "delivered", "opened"]
        for step, event in enumerate(course, start=1):
            self.world.agenda.add("email.event", self.world.steps(step), email=email_id, event=event)

    def _event_job(self, payload: dict[str, Any]) -> None:
        store, event = self.world.state, payload["event"]
        with store.write():
            row = store.one("SELECT * FROM messages WHERE id=?", payload["email"])
            if row is None:
                return
            store.run("UPDATE messages SET status=? WHERE id=?", event, row["id"])
            store.insert("statuses", message_id=row["id"], status=event, at=now())
            extra = json.loads(row["extra"])
            data: Row = {
                "email_id": row["id"], "message_id": extra["message_id"], "created_at": iso(row["created_at"]),
                "from": extra["from"], "to": extra["to"], "subject": row["subject"],
            }  # fmt: skip
            if extra["tags"]:
                data["tags"] = {t["name"]: t["value"] for t in extra["tags"]}  # an object here, an array when sending
            if event == "bounced":
                data["bounce"] = {
                    "type": "Permanent", "subType": "General",
                    "message": "The recipient's mail server rejected the message: mailbox does not exist.",
                    "diagnosticCode": ["smtp; 550 5.1.1 user unknown"],
                }  # fmt: skip
            elif event == "suppressed":
                data["suppressed"] = {
                    "type": "OnAccountSuppressionList",
                    "message": "Recipient is suppressed.",
                }
            self.emit(f"email.{event}", data)

    def _answer_job(self, payload: dict[str, Any]) -> None:
        with self.world.state.write():
            person = self.world.person(payload["person"])
            row = self.world.state.one("SELECT * FROM messages WHERE id=?", payload["email"])
            text = self.world.answer_of(person, "email")
            if person and row and text:
                self.say(person, text, row)
                self.world.answered(person, "email")


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
        html = f"<p>{row['text']}</p>"
        kept = {k: mail[k] for k in ("from", "to", "created_at", "subject", "cc", "bcc", "message_id", "attachments")}
        return jsonify(
            object="email",
            id=row["id"],
            html=html,
            text=row["text"],
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


def once(world: World, key: str, body: Row, send: Any) -> Any:
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
