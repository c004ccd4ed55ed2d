"""WhatsApp through Evolution API's protocol (2.3.7): instances, sending, receipts, answers, webhooks."""

import json
from typing import Any

from infra.sandbox.clock import iso, now
from infra.sandbox.evolution_shapes import about, edited, shaped
from infra.sandbox.people import Person
from infra.sandbox.state import Row
from infra.sandbox.webhooks import evolution_jwt
from infra.sandbox.world import World

ORDER = ("ERROR", "PENDING", "SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED")


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
            world.agenda.add("whatsapp.receipt", world.steps(1), message=message_id, statuses=receipts)
            if person and world.answer_of(person, "whatsapp"):
                world.agenda.add("whatsapp.answer", world.steps(5), person=person.id, instance=instance["name"])
        return data

    def say(self, person: Person, text: str, instance: Row, how: str = "plain") -> str:
        """A person writes to one of our numbers; `how` is the shape in which that is told."""
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
            self.emit(instance, "messages.upsert", shaped(data, person, text, how))
        return message_id

    def edit(self, person: Person, id: str, text: str, instance: Row) -> None:
        """A person gives a message of theirs another text."""
        with self.world.state.write():
            self.world.state.run("UPDATE inbound SET text=? WHERE id=? AND person=?", text, id, person.id)
            own = f"{instance['number']}@s.whatsapp.net"
            self.emit(instance, "messages.edited", edited(own, id, text, int(now())))

    def touch(self, person: Person, what: str, id: str, text: str, instance: Row) -> None:
        """A person reacts to a message, or deletes one of theirs for all."""
        with self.world.state.write():
            message_id = self.world.state.token("inbound-whatsapp", 20).upper()
            data = self.message(instance, message_id, person.jid, "", from_me=False, name=person.name, source="ios")
            self.emit(instance, "messages.upsert", data | {"message": about(what, person.jid, id, text)})

    def by_hand(self, person: Person, text: str, instance: Row) -> str:
        """One of ours writes to a person on the phone itself."""
        with self.world.state.write():
            id = self.world.state.token("by-hand", 20).upper()
            data = self.message(instance, id, person.jid, text, status="SERVER_ACK", source="ios")
            self.emit(instance, "messages.upsert", data)
        return id

    def messages_of(self, instance: Row, jid: str | None) -> list[Row]:
        """Everything said on one number, the newest first, as its own database keeps it."""
        ours = self.world.state.rows("SELECT * FROM messages WHERE channel='whatsapp' AND sender=?", instance["name"])
        theirs = self.world.state.rows(
            "SELECT * FROM inbound WHERE channel='whatsapp' AND recipient=?", instance["name"]
        )
        rows = [(row, row["recipient"], True) for row in ours] + [(row, row["sender"], False) for row in theirs]
        records = []
        for row, other, from_me in rows:
            if jid is None or other == jid:
                record = self.message(instance, row["id"], other, row["text"], from_me=from_me)
                del record["status"]
                records.append({**record, "messageTimestamp": int(row["created_at"])})
        return sorted(records, key=lambda record: -record["messageTimestamp"])

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
        world = self.world
        status, *later = payload["statuses"]
        with world.state.write():
            row = world.state.one("SELECT * FROM messages WHERE id=?", payload["message"])
            instance = self.instance(row["sender"]) if row else None
            if row is None or instance is None:
                return
            if ORDER.index(status) > ORDER.index(row["status"]):
                world.state.run("UPDATE messages SET status=? WHERE id=?", status, row["id"])
            world.state.insert("statuses", message_id=row["id"], status=status, at=now())
            if later:  # one after the other, however busy the machine is
                world.agenda.add("whatsapp.receipt", world.steps(1), message=row["id"], statuses=later)
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
