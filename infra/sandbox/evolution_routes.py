"""The routes of Evolution API: its guard order, its error envelopes, its answers."""

import hmac
import json
import time
from typing import Any

from flask import Blueprint, Response, abort, jsonify, make_response, request

from infra.sandbox.evolution import Evolution, look_up
from infra.sandbox.state import Row
from infra.sandbox.world import World

VERSION = "2.3.7"
REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    500: "Internal Server Error",
}
QR_CODE = "data:image/png;base64,iVBORw0KGgo="


def failure(status: int, message: Any) -> Response:
    return make_response(jsonify(status=status, error=REASONS[status], response={"message": message}), status)


def blueprint(world: World, evolution: Evolution) -> Blueprint:
    """The routes, with Evolution's guard order: the instance first (404), then the name, then the key."""
    bp = Blueprint("evolution", __name__, url_prefix="/evolution")

    def known_key(*also: str) -> bool:
        given = request.headers.get("apikey", "").encode()
        return any(hmac.compare_digest(given, key.encode()) for key in (world.config.evolution_api_key, *also))

    def guard(name: str) -> Row:
        """The instance, whose name and key are right; otherwise the request ends here."""
        instance = evolution.instance(name)
        if instance is None:
            abort(failure(404, [f'The "{name}" instance does not exist']))
        if not known_key(instance["token"]):
            abort(failure(401, "Unauthorized"))
        return instance

    def required(**kinds: type) -> Any:
        """The body, if it has these fields; otherwise the request ends with Evolution's JSON-schema messages, an array
        inside an array."""
        body = request.get_json(silent=True)
        names: dict[type, str] = {str: "string", list: "array", dict: "object"}
        errors: list[str] = []
        for name, kind in kinds.items():
            if not isinstance(body, dict) or name not in body:
                errors.append(f'instance requires property "{name}"')
            elif not isinstance(body[name], kind):
                errors.append(f"instance.{name} is not of a type(s) {names[kind]}")
        if errors:
            abort(failure(400, [errors]))
        return body

    @bp.get("/")
    def welcome() -> Response:
        return jsonify(status=200, message="Welcome to the Evolution API, it is working!", version=VERSION)

    @bp.post("/instance/create")
    def create() -> Any:
        body = required(instanceName=str)
        name = body["instanceName"]
        if evolution.instance(name):
            return failure(403, [f'This name "{name}" is already in use.'])
        if not known_key():
            return failure(401, "Unauthorized")
        row = evolution.create(name, body.get("integration", "WHATSAPP-BAILEYS"), "close", body.get("token"))
        hook = body.get("webhook") or {}
        if hook.get("url"):
            evolution.set_webhook(name, hook["url"], hook.get("headers"), hook.get("events") or [])
        answer: dict[str, Any] = {
            "instance": {
                "instanceName": name, "instanceId": row["id"], "integration": row["integration"],
                "webhookWaBusiness": None, "accessTokenWaBusiness": "",
                "status": "connecting" if body.get("qrcode") else "close",
            },
            "hash": row["token"],
            "webhook": {
                "webhookUrl": hook.get("url"), "webhookHeaders": hook.get("headers"),
                "webhookByEvents": hook.get("byEvents"), "webhookBase64": hook.get("base64"),
            },
            "settings": {"rejectCall": False, "groupsIgnore": False, "alwaysOnline": False, "readMessages": False},
        }  # fmt: skip
        if body.get("qrcode"):
            answer["qrcode"] = {"pairingCode": None, "code": "2@sandbox", "base64": QR_CODE, "count": 1}
            world.agenda.add("whatsapp.connection", world.steps(3), instance=name)
        return jsonify(answer), 201

    @bp.get("/instance/fetchInstances")
    def fetch() -> Any:
        if not known_key():
            return failure(401, "Unauthorized")
        rows = world.state.rows("SELECT * FROM instances ORDER BY name")
        return jsonify(
            [
                {
                    "id": r["id"], "name": r["name"], "connectionStatus": r["state"], "integration": r["integration"],
                    "ownerJid": f"{r['number']}@s.whatsapp.net", "number": r["number"], "token": r["token"],
                }
                for r in rows
            ]
        )  # fmt: skip

    @bp.get("/instance/connect/<name>")
    def connect(name: str) -> Any:
        instance = guard(name)
        if instance["state"] == "open":
            return jsonify(instance={"instanceName": name, "state": "open"})
        evolution.connection(name, "connecting", 200)
        world.agenda.add("whatsapp.connection", world.steps(3), instance=name)
        pairing = "SNDB0X00" if request.args.get("number") else None
        return jsonify(pairingCode=pairing, code="2@sandbox", base64=QR_CODE, count=1)

    @bp.get("/instance/connectionState/<name>")
    def connection_state(name: str) -> Any:
        instance = guard(name)
        return jsonify(instance={"instanceName": name, "state": instance["state"]})

    @bp.delete("/instance/logout/<name>")
    def logout(name: str) -> Any:
        guard(name)
        evolution.connection(name, "close", 401)
        return jsonify(status="SUCCESS", error=False, response={"message": "Instance logged out"})

    @bp.delete("/instance/delete/<name>")
    def delete(name: str) -> Any:
        guard(name)
        world.state.run("DELETE FROM instances WHERE name=?", name)
        return jsonify(status="SUCCESS", error=False, response={"message": "Instance deleted"})

    @bp.post("/chat/whatsappNumbers/<name>")
    def numbers(name: str) -> Any:
        instance = guard(name)
        body = required(numbers=list)
        if instance["state"] != "open":
            return jsonify(status=400, error="Bad Request", message="Error: Connection Closed"), 400
        return jsonify([look_up(world, str(n))[0] for n in body["numbers"]])

    @bp.post("/message/sendText/<name>")
    def send_text(name: str) -> Any:
        instance = guard(name)
        body = required(number=str, text=str)
        if not body["text"].strip():
            return failure(400, ["Text is required"])
        if instance["state"] != "open":
            return failure(400, ["Error: Connection Closed"])
        lookup, person = look_up(world, body["number"])
        if not lookup["exists"]:
            return failure(400, [{k: lookup[k] for k in ("jid", "exists", "number")}])
        if isinstance(body.get("delay"), int):
            time.sleep(max(0, body["delay"]) / 1000 * world.config.time_scale)  # it types before it sends
        return jsonify(evolution.send(instance, lookup["jid"], body["text"], person)), 201

    @bp.post("/chat/findStatusMessage/<name>")
    def find_status(name: str) -> Any:
        instance = guard(name)
        where = (request.get_json(silent=True) or {}).get("where") or {}
        rows = world.state.rows(
            "SELECT s.status, m.id, m.recipient, m.extra FROM statuses s JOIN messages m ON m.id = s.message_id"
            " WHERE m.sender = ? AND (? IS NULL OR m.id = ?) ORDER BY s.rowid",
            name, where.get("id"), where.get("id"),
        )  # fmt: skip
        return jsonify(
            [
                {
                    "keyId": r["id"], "remoteJid": r["recipient"], "fromMe": True, "participant": None,
                    "status": r["status"], "instanceId": instance["id"], "messageId": json.loads(r["extra"])["cuid"],
                }
                for r in rows
            ]
        )  # fmt: skip

    @bp.post("/chat/findMessages/<name>")
    def find_messages(name: str) -> Any:
        instance = guard(name)
        body = request.get_json(silent=True) or {}
        jid = ((body.get("where") or {}).get("key") or {}).get("remoteJid")
        page, size = int(body.get("page") or 1), int(body.get("offset") or 50)
        messages = evolution.messages_of(instance, jid)
        records = messages[(page - 1) * size : page * size]
        pages = -(-len(messages) // size)
        page_of_messages = {"total": len(messages), "pages": pages, "currentPage": page, "records": records}
        return jsonify(messages=page_of_messages)

    @bp.post("/webhook/set/<name>")
    def set_webhook(name: str) -> Any:
        guard(name)
        hook = required(webhook=dict)["webhook"]
        missing = [[f'instance.webhook requires property "{k}"' for k in ("enabled", "url") if k not in hook]]
        if missing[0]:
            return failure(400, missing)
        if hook["enabled"] and "events" not in hook:  # the real code reads events.length
            return failure(500, ["Cannot read properties of undefined (reading 'length')"])
        row = evolution.set_webhook(
            name, hook["url"], hook.get("headers"), hook.get("events") or [],
            enabled=bool(hook["enabled"]), by_events=bool(hook.get("byEvents")), base64=bool(hook.get("base64")),
        )  # fmt: skip
        return jsonify(row), 201

    @bp.get("/webhook/find/<name>")
    def find_webhook(name: str) -> Any:
        instance = guard(name)
        return jsonify(json.loads(instance["webhook"]) if instance["webhook"] else None)

    return bp
