"""WhatsApp through Evolution API's protocol (2.3.7): instances, sending, receipts, answers, webhooks."""

import hmac
import json
import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from infra.sandbox.people import Person
from infra.sandbox.state import Row, iso, now
from infra.sandbox.webhooks import evolution_jwt
from infra.sandbox.world import World

VERSION = "2.3.7"
REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    500: "Internal Server Error",
}
ORDER = ("ERROR", "PENDING", "SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED")
QR_CODE = "data:image/png;base64,iVBORw0KGgo="


def failure(status: int, message: Any) -> tuple[Response, int]:
    return jsonify(status=status, error=REASONS[status], response={"message": message}), status


class Evolution:
    """What happens behind the API: messages, their receipts, the people's answers, and the webhooks about it."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.agenda.register("whatsapp.receipt", self._receipt_job)
        world.agenda.register("whatsapp.answer", self._answer_job)
        world.agenda.register("whatsapp.connection", self._connection_job)

    def seed(self) -> None:
        """The instances that are there from the start, already paired with a phone."""
        for name in self.world.config.instances:
            if self.world.state.one("SELECT 1 FROM instances WHERE name=?", name) is None:
                self.create(name, "WHATSAPP-BAILEYS", "open")
            if self.world.config.whatsapp_webhook_url:
                headers = {"Authorization": f"Bearer {self.world.config.evolution_webhook_token}"}
                self.set_webhook(name, self.world.config.whatsapp_webhook_url, headers, [])

    def create(self, name: str, integration: str, state: str, token: str | None = None) -> Row:
        store = self.world.state
        with store.write():
            number = f"55110000{store.serial():05d}"
            store.insert(
                "instances", name=name, id=store.new_uuid("instance"), integration=integration, state=state,
                token=token or store.token("instance-token").upper(), number=number,
            )  # fmt: skip
        row = self.instance(name)
        assert row is not None
        return row

    def instance(self, name: str) -> Row | None:
        return self.world.state.one("SELECT * FROM instances WHERE name=?", name)

    def set_webhook(
        self, name: str, url: str, headers: dict[str, str] | None, events: list[str],
        enabled: bool = True, by_events: bool = False, base64: bool = False,
    ) -> Row:  # fmt: skip
        instance = self.instance(name)
        assert instance is not None
        previous = json.loads(instance["webhook"]) if instance["webhook"] else {}
        row = {
            "id": previous.get("id") or "cm" + self.world.state.token("webhook", 23),
            "url": url,
            "headers": headers,
            "enabled": enabled,
            "events": events,
            "webhookByEvents": by_events,
            "webhookBase64": base64,
            "createdAt": previous.get("createdAt") or iso(now()),
            "updatedAt": iso(now()),
            "instanceId": instance["id"],
        }
        self.world.state.run("UPDATE instances SET webhook=? WHERE name=?", json.dumps(row), name)
        return row

    def emit(self, instance: Row, event: str, data: Any) -> None:
        """Send one event to the instance's webhook, if it listens to it."""
        webhook = json.loads(instance["webhook"]) if instance["webhook"] else None
        name = event.upper().replace(".", "_")
        if not webhook or not webhook["enabled"] or (webhook["events"] and name not in webhook["events"]):
            return
        url = webhook["url"]
        if webhook["webhookByEvents"]:
            url += "/" + event.replace(".", "-")
        headers = dict(webhook["headers"] or {})
        secret = headers.pop("jwt_key", None)
        if secret:
            headers["Authorization"] = f"Bearer {evolution_jwt(secret, int(now()))}"
        body = {
            "event": event,
            "instance": instance["name"],
            "data": data,
            "destination": webhook["url"],
            "date_time": iso(now() - 3 * 3600),  # local time wearing a Z, as the real one does
            "sender": f"{instance['number']}@s.whatsapp.net",
            "server_url": self.world.state.setting("server_url", "http://localhost:8080"),
            "apikey": instance["token"],
        }
        self.world.webhooks.queue("evolution", event, self.world.state.token("event"), url, headers, body)

    def message(self, instance: Row, message_id: str, jid: str, text: str, **rest: Any) -> Row:
        return {
            "key": {"remoteJid": jid, "fromMe": rest.get("from_me", True), "id": message_id},
            "pushName": rest.get("name", "Você"),
            "status": rest.get("status", "PENDING"),
            "message": {"conversation": text},
            "contextInfo": None,
            "messageType": "conversation",
            "messageTimestamp": int(now()),
            "instanceId": instance["id"],
            "source": rest.get("source", "web"),
        }

    def send(self, instance: Row, jid: str, text: str, person: Person | None) -> Row:
        """Accept a message: it is sent, whatever becomes of the answer to the caller."""
        world = self.world
        with world.state.write():
            message_id = "3EB0" + world.state.token("whatsapp", 16).upper()
            data = self.message(instance, message_id, jid, text)
            world.state.insert(
                "messages", id=message_id, seq=world.state.serial(), channel="whatsapp", sender=instance["name"],
                recipient=jid, person=person.id if person else None, text=text, headers="{}", status="PENDING",
                extra=json.dumps({"after_optout": world.opted_out(person), "cuid": "cm" + world.state.token("m", 23)}),
                created_at=now(),
            )  # fmt: skip
            world.state.insert("statuses", message_id=message_id, status="PENDING", at=now())
            self.emit(instance, "send.message", data)
            receipts = ["SERVER_ACK", "DELIVERY_ACK"]
            if person is None or person.temperament != "silence":
                receipts.append("READ")
            for step, status in enumerate(receipts, start=1):
                world.agenda.add("whatsapp.receipt", world.steps(step), message=message_id, status=status)
            if person and world.answer_of(person, "whatsapp"):
                world.agenda.add("whatsapp.answer", world.steps(5), person=person.id, instance=instance["name"])
        return data

    def say(self, person: Person, text: str, instance: Row) -> str:
        """A person writes to one of our numbers."""
        world = self.world
        with world.state.write():
            message_id = world.state.token("inbound-whatsapp", 20).upper()
            data = self.message(
                instance, message_id, person.jid, text,
                from_me=False, name=person.name, status="DELIVERY_ACK", source="android",
            )  # fmt: skip
            if person.lid:
                data["key"] |= {"remoteJidAlt": f"{person.lid}@lid", "addressingMode": "lid"}
            world.state.insert(
                "inbound", id=message_id, channel="whatsapp", person=person.id, sender=person.jid,
                recipient=instance["name"], text=text, extra="{}", created_at=now(),
            )  # fmt: skip
            self.emit(instance, "messages.upsert", data)
        return message_id

    def connection(self, name: str, state: str, reason: int) -> None:
        """Change an instance's connection and tell its webhook."""
        self.world.state.run("UPDATE instances SET state=? WHERE name=?", state, name)
        instance = self.instance(name)
        if instance is None:
            return
        data: dict[str, Any] = {"instance": name, "state": state, "statusReason": reason}
        if state == "open":
            data |= {
                "wuid": f"{instance['number']}@s.whatsapp.net",
                "profileName": "Produtora",
                "profilePictureUrl": None,
            }
        self.emit(instance, "connection.update", data)

    def _receipt_job(self, payload: dict[str, Any]) -> None:
        world, status = self.world, payload["status"]
        with world.state.write():
            row = world.state.one("SELECT * FROM messages WHERE id=?", payload["message"])
            instance = self.instance(row["sender"]) if row else None
            if row is None or instance is None:
                return
            if ORDER.index(status) > ORDER.index(row["status"]):
                world.state.run("UPDATE messages SET status=? WHERE id=?", status, row["id"])
            world.state.insert("statuses", message_id=row["id"], status=status, at=now())
            person = world.person(row["person"])
            jid = f"{person.lid}@lid" if person and person.lid else row["recipient"]
            self.emit(
                instance, "messages.update",
                {
                    "keyId": row["id"], "remoteJid": jid, "fromMe": True, "participant": None, "status": status,
                    "instanceId": instance["id"], "messageId": json.loads(row["extra"])["cuid"],
                },
            )  # fmt: skip

    def _answer_job(self, payload: dict[str, Any]) -> None:
        with self.world.state.write():
            person, instance = self.world.person(payload["person"]), self.instance(payload["instance"])
            text = self.world.answer_of(person, "whatsapp")
            if person and instance and text:
                self.say(person, text, instance)
                self.world.answered(person, "whatsapp")

    def _connection_job(self, payload: dict[str, Any]) -> None:
        self.connection(payload["instance"], "open", 200)


def blueprint(world: World, evolution: Evolution) -> Blueprint:
    """The routes, with Evolution's guard order: the instance first (404), then the name, then the key."""
    bp = Blueprint("evolution", __name__, url_prefix="/evolution")

    def known_key(*also: str) -> bool:
        given = request.headers.get("apikey", "").encode()
        return any(hmac.compare_digest(given, key.encode()) for key in (world.config.evolution_api_key, *also))

    def guard(name: str) -> tuple[Row, None] | tuple[None, tuple[Response, int]]:
        instance = evolution.instance(name)
        if instance is None:
            return None, failure(404, [f'The "{name}" instance does not exist'])
        if not known_key(instance["token"]):
            return None, failure(401, "Unauthorized")
        return instance, None

    def schema(body: Any, **wanted: type) -> list[list[str]]:
        """Evolution's JSON-schema messages, an array inside an array; empty when all is well."""
        names = {str: "string", bool: "boolean", list: "array", dict: "object"}
        found: list[str] = []
        for name, kind in wanted.items():
            if not isinstance(body, dict) or name not in body:
                found.append(f'instance requires property "{name}"')
            elif not isinstance(body[name], kind):
                found.append(f"instance.{name} is not of a type(s) {names[kind]}")
        return [found] if found else []

    @bp.get("/")
    def welcome() -> Response:
        return jsonify(status=200, message="Welcome to the Evolution API, it is working!", version=VERSION)

    @bp.post("/instance/create")
    def create() -> Any:
        body = request.get_json(silent=True) or {}
        if wrong := schema(body, instanceName=str):
            return failure(400, wrong)
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
        instance, refused = guard(name)
        if instance is None:
            return refused
        if instance["state"] == "open":
            return jsonify(instance={"instanceName": name, "state": "open"})
        evolution.connection(name, "connecting", 200)
        world.agenda.add("whatsapp.connection", world.steps(3), instance=name)
        pairing = "SNDB0X00" if request.args.get("number") else None
        return jsonify(pairingCode=pairing, code="2@sandbox", base64=QR_CODE, count=1)

    @bp.get("/instance/connectionState/<name>")
    def connection_state(name: str) -> Any:
        instance, refused = guard(name)
        if instance is None:
            return refused
        return jsonify(instance={"instanceName": name, "state": instance["state"]})

    @bp.delete("/instance/logout/<name>")
    def logout(name: str) -> Any:
        instance, refused = guard(name)
        if instance is None:
            return refused
        evolution.connection(name, "close", 401)
        return jsonify(status="SUCCESS", error=False, response={"message": "Instance logged out"})

    @bp.delete("/instance/delete/<name>")
    def delete(name: str) -> Any:
        instance, refused = guard(name)
        if instance is None:
            return refused
        world.state.run("DELETE FROM instances WHERE name=?", name)
        return jsonify(status="SUCCESS", error=False, response={"message": "Instance deleted"})

    @bp.post("/chat/whatsappNumbers/<name>")
    def numbers(name: str) -> Any:
        instance, refused = guard(name)
        if instance is None:
            return refused
        body: Any = request.get_json(silent=True)
        if wrong := schema(body, numbers=list):
            return failure(400, wrong)
        if instance["state"] != "open":
            return jsonify(status=400, error="Bad Request", message="Error: Connection Closed"), 400
        return jsonify([look_up(world, str(n))[0] for n in body["numbers"]])

    @bp.post("/message/sendText/<name>")
    def send_text(name: str) -> Any:
        instance, refused = guard(name)
        if instance is None:
            return refused
        body: Any = request.get_json(silent=True)
        if wrong := schema(body, number=str, text=str):
            return failure(400, wrong)
        if not body["text"].strip():
            return failure(400, ["Text is required"])
        if instance["state"] != "open":
            return failure(400, ["Error: Connection Closed"])
        found, person = look_up(world, body["number"])
        if not found["exists"]:
            return failure(400, [{k: found[k] for k in ("jid", "exists", "number")}])
        if isinstance(body.get("delay"), int):
            time.sleep(max(0, body["delay"]) / 1000 * world.config.time_scale)  # it types before it sends
        return jsonify(evolution.send(instance, found["jid"], body["text"], person)), 201

    @bp.post("/chat/findStatusMessage/<name>")
    def find_status(name: str) -> Any:
        instance, refused = guard(name)
        if instance is None:
            return refused
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

    @bp.post("/webhook/set/<name>")
    def set_webhook(name: str) -> Any:
        instance, refused = guard(name)
        if instance is None:
            return refused
        body: Any = request.get_json(silent=True)
        if wrong := schema(body, webhook=dict):
            return failure(400, wrong)
        hook = body["webhook"]
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
        instance, refused = guard(name)
        if instance is None:
            return refused
        return jsonify(json.loads(instance["webhook"]) if instance["webhook"] else None)

    return bp


def look_up(world: World, number: str) -> tuple[Row, Person | None]:
    """Whether a number is on WhatsApp and under which id. Strangers are, unless the number ends in 0000."""
    digits = "".join(ch for ch in number.split("@")[0] if ch.isdigit())
    person = world.by_phone(digits)
    if person is not None:
        exists, jid = person.temperament != "bounce", person.jid
    else:
        mobile = digits.startswith("55") and len(digits) in (12, 13) and digits[4] in "6789"
        exists, jid = mobile and not digits.endswith("0000"), f"{digits}@s.whatsapp.net"
    answer: Row = {"jid": jid, "exists": exists, "number": number}
    if exists and person is not None:
        answer["name"] = person.name
        if person.lid:
            answer["lid"] = "lid"
    return answer, person
