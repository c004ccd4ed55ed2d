"""E-mail through Resend's protocol: sending with idempotency keys, events signed by Svix, inbound mail."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import urllib3

from infra.sandbox.clock import iso, now
from infra.sandbox.people import Person
from infra.sandbox.state import Row
from infra.sandbox.world import World

ADDRESS = re.compile(r"^(?:[^<>]*<)?\s*([^\s<>@]+@[^\s<>@]+\.[^\s<>@]+)\s*>?$")
SINKS = {"delivered": "silence", "bounced": "bounce", "complained": "complaint"}


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

    def say(self, person: Person, text: str, answered: Row | None = None, given: Row | None = None) -> str:
        """A person writes a mail to us, perhaps as an answer to one of ours.

        `told` may hold a `subject`, `headers` to add, and `html` for a mail without a text part.
        """
        given = given or {}
        store = self.world.state
        extra = json.loads(answered["extra"]) if answered else {}
        recipient = answered["sender"] if answered else "contato@somos-exemplo.com.br"
        subject = str(given.get("subject") or (f"Re: {answered['subject']}" if answered else "Contato"))
        with store.write():
            email_id = store.new_uuid("inbound-email")
            headers = {"message-id": f"<{store.token('message-id', 24)}@{person.email.rpartition('@')[2]}>"}
            if extra.get("message_id"):
                headers |= {"in-reply-to": extra["message_id"], "references": extra["message_id"]}
            if person.temperament == "out_of_office":
                headers["auto-submitted"] = "auto-replied"
            headers |= {str(name).lower(): str(value) for name, value in (given.get("headers") or {}).items()}
            mail: Row = {
                "email_id": email_id, "message_id": headers["message-id"], "created_at": iso(now()),
                "from": f"{person.name} <{person.email}>", "to": [bare(recipient)], "subject": subject,
                "cc": [], "bcc": [], "received_for": [bare(recipient)], "attachments": [],
            }  # fmt: skip
            store.insert(
                "inbound", id=email_id, channel="email", person=person.id, sender=person.email,
                recipient=bare(recipient), subject=subject, text=text,
                extra=json.dumps({**mail, "headers": headers, "html": given.get("html")}), created_at=now(),
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
