"""A desk: people, senders and leads, and the ways providers report to us."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from somos.mesh import clock, outbox
from somos.mesh.ids import uuid7
from somos.mesh.outbox import Claim
from somos.mesh.queues import QUEUES
from somos.modules.crm.actions import seed
from somos.modules.hunter.tables.leads import Lead
from tests.harness.days import free_week
from tests.harness.mesh import Answer, Mesh, Person
from tests.harness.world import World

ANA_PHONE, ANA_EMAIL = "+5511955550101", "ana@horizonte-exemplo.com.br"
JID = "5511955550101@s.whatsapp.net"
INSTANCE, FROM = "somos", "Somos <oi@somos-exemplo.com.br>"


@dataclass
class Desk:
    """What people at the producer do most, and what the outside tells them."""

    mesh: Mesh
    outside: World
    diretora: Person = field(init=False)
    ana: Person = field(init=False)
    bruno: Person = field(init=False)
    senders: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.mesh.db() as db:
            seed.install(db)
        self.diretora = self.mesh.person("Diretor", "Dora")
        self.ana = self.mesh.person("Comercial", "Ana")
        self.bruno = self.mesh.person("Comercial", "Bruno")
        self.mesh.time = free_week(self.mesh.time)
        self.outside.post("people/horizonte", temperament="silence")  # says only what a test makes it say
        self.sender("whatsapp", INSTANCE)
        self.sender("email", FROM)

    # -- people at the desk

    def call(self, what: str, json: Any = None, as_: Person | None = None, **options: Any) -> Answer:
        who = as_ or self.diretora
        return self.mesh.call(what, json, as_=self.mesh.signed_in(who.principal), **options)

    def get(self, path: str, as_: Person | None = None) -> Any:
        return self.call(f"GET /api/v1/{path}", as_=as_).ok()

    def post(self, path: str, body: Any = None, as_: Person | None = None) -> Any:
        return self.call(f"POST /api/v1/{path}", body if body is not None else {}, as_=as_).ok()

    def sender(self, channel: str, address: str, **more: Any) -> str:
        draft = {"channel": channel, "name": channel, "person_name": "Dora Lima", "address": address, **more}
        made = self.post("senders", draft)
        self.senders[channel] = made["id"]
        return str(made["id"])

    def change_sender(self, channel: str, **changes: Any) -> Any:
        return self.call(f"PATCH /api/v1/senders/{self.senders[channel]}", changes).ok()

    def lead(self, phone: str | None = ANA_PHONE, email: str | None = ANA_EMAIL, **more: Any) -> str:
        """A qualified lead as the hunter leaves it."""
        id = uuid7()
        values: dict[str, Any] = {
            "company_name": "Horizonte Propaganda", "contact_name": "Ana Beatriz", "contact_role": "Diretora",
            "city": "São Paulo", "uf": "SP", "state": "qualified", "score": 82, "phone": phone, "email": email,
            "source": "web", "icp_id": uuid7(), "icp_number": 1, "legal_basis": "legitimate_interest",
            "collected_at": self.mesh.time, "retain_until": date(2028, 1, 1), **more,
        }  # fmt: skip
        with self.mesh.db() as db:
            db.add(Lead(id=id, **values))
        return str(id)

    def campaign(self, *leads: str, channel: str = "whatsapp", as_: Person | None = None, **more: Any) -> str:
        """Start a campaign and let its drafts be written; its id."""
        started = self.post("sdr/campaign", {"lead_ids": list(leads), "channel": channel, **more}, as_)
        self.mesh.drain()
        return str(self.mesh.one("select subject_id from agents.tasks where id = :id", id=started["task_id"]))

    def messages(self, **where: Any) -> list[Any]:
        query = "&".join(f"{name}={value}" for name, value in where.items())
        return list(self.get(f"outreach-messages?sort=id&{query}")["items"])

    def campaign_refuses(self, lead: str, channel: str = "whatsapp") -> bool:
        """Whether a new campaign would not write to this lead."""
        return bool(self.get(f"outreach-campaigns/{self.campaign(lead, channel=channel)}")["refusals"])

    def message(self, id: str) -> Any:
        return self.get(f"outreach-messages/{id}")

    def draft(self, lead: str | None = None, channel: str = "whatsapp", **more: Any) -> Any:
        """One message that waits for a person."""
        campaign = self.campaign(lead or self.lead(), channel=channel, **more)
        return self.messages(campaign_id=campaign)[0]

    def approve(self, message: Any, as_: Person | None = None) -> Any:
        return self.post(f"outreach-messages/{message['id']}/approve", {"text_hash": message["text_hash"]}, as_)

    def approved(self, lead: str | None = None, channel: str = "whatsapp", **more: Any) -> Any:
        """A message that a person approved and that has not been looked at yet."""
        return self.approve(self.draft(lead, channel, **more))

    def sent(self, lead: str | None = None, channel: str = "whatsapp", **more: Any) -> Any:
        """A message that left."""
        message = self.approved(lead, channel, **more)
        self.mesh.drain()
        after = self.message(message["id"])
        assert after["state"] == "sent", after
        return after

    # -- what the outside has seen, and what it tells

    def left(self, channel: str | None = None) -> list[Any]:
        """Everything that reached a provider."""
        return list(self.outside.get("sent", **({"channel": channel} if channel else {})))

    def evolution(self, event: str, data: Any, instance: str = INSTANCE) -> Answer:
        """A report from WhatsApp, stored; the next drain acts on it."""
        headers = {"Authorization": f"Bearer {self.mesh.runtime.settings.outside['EVOLUTION_WEBHOOK_TOKEN']}"}
        body = {"event": event, "instance": instance, "data": data, "date_time": str(uuid7())}
        return self.mesh.call("POST /webhook/whatsapp", body, headers=headers)

    def hears(self, said: str, id: str | None = None, jid: str = JID, drain: bool = True, **key: Any) -> str:
        """Somebody writes to us on WhatsApp; the provider's id of it."""
        id = id or f"IN{uuid7().hex[:18].upper()}"
        data = {
            "key": {"remoteJid": jid, "fromMe": False, "id": id, **key},
            "pushName": "Ana",
            "message": {"conversation": said},
            "messageTimestamp": int(self.mesh.time.timestamp()),
        }
        assert self.evolution("messages.upsert", data).status == 200
        if drain:
            self.mesh.drain()
        return id

    def resend(self, event: str, data: Any, id: str | None = None) -> Answer:
        """A report from Resend, signed as Svix does."""
        raw = json.dumps({"type": event, "created_at": self.mesh.time.isoformat(), "data": data}).encode()
        id, at = id or f"msg_{uuid7().hex}", str(int(self.mesh.time.timestamp()))
        shared = self.mesh.runtime.settings.outside["RESEND_WEBHOOK_SECRET"]
        secret = base64.b64decode(shared.removeprefix("whsec_") + "==")
        mac = hmac.new(secret, f"{id}.{at}.".encode() + raw, hashlib.sha256).digest()
        headers = {
            "svix-id": id,
            "svix-timestamp": at,
            "svix-signature": f"v1,{base64.b64encode(mac).decode()}",
        }
        return self.mesh.call("POST /webhook/email", headers=headers, data=raw, content_type="application/json")

    def mailed(self, person: str, said: str, drain: bool = True) -> None:
        """A person of the sandbox answers our last mail; Resend announces it without its words."""
        self._mailed(person, drain, text=said)

    def mails(self, person: str = "horizonte", drain: bool = False, **told: Any) -> None:
        """The same with `html`, `subject` or `headers` of their own."""
        self._mailed(person, drain, **told)

    def _mailed(self, person: str, drain: bool, **told: Any) -> None:
        id = self.outside.post(f"people/{person}/say", channel="email", **told)["id"]
        mail = next(m for m in self.outside.get("inbound") if m["id"] == id)["extra"]
        # What Resend told of our own mail before: the id that its answer names.
        ours = {"email_id": self.left("email")[-1]["id"], "message_id": mail["headers"]["in-reply-to"]}
        assert self.resend("email.sent", ours).status == 200
        self.only("inbox.")
        self._announce(mail, drain)

    def hears_mail(self, person: str = "horizonte", **told: Any) -> None:
        """A mail whose headers alone say what it answers; nothing of ours is told with it."""
        id = self.outside.post(f"people/{person}/say", channel="email", **told)["id"]
        self._announce(next(m for m in self.outside.get("inbound") if m["id"] == id)["extra"], drain=True)

    def _announce(self, mail: Any, drain: bool) -> None:
        """Resend says that a mail came, without its words."""
        named = {k: mail[k] for k in ("email_id", "message_id", "from", "to", "subject")}
        assert self.resend("email.received", named).status == 200
        if drain:
            self.mesh.drain()

    def any_time(self) -> None:
        """Windows that are always open."""
        for channel in self.senders:
            everyday = {"opens": "00:00", "closes": "24:00", "weekdays": [0, 1, 2, 3, 4, 5, 6], "skip_holidays": False}
            self.change_sender(channel, **everyday)

    def next_morning(self) -> None:
        """Eight o'clock of the next day in São Paulo, when windows open."""
        self.mesh.at(time(8), clock.today() + timedelta(days=1))

    def only(self, *types: str) -> None:
        """Deliver what there is of these types, and leave the rest for later."""
        self.mesh.drain(only=lambda claim: claim.type.startswith(types))
        self.mesh.advance(minutes=5)

    def due(self, *types: str) -> list[Claim]:
        """Every delivery that is due, claimed and not yet delivered."""
        engine, routes = self.mesh.runtime.engine, self.mesh.runtime.routes
        outbox.fan_out(engine, routes)
        claims = [claim for queue in QUEUES for claim in outbox.claim(engine, queue, 200)]
        return [claim for claim in claims if not types or claim.type.startswith(types)]

    def together(self, work: Iterable[Callable[[], Any]], hands: int = 8) -> list[Any]:
        """Do all of it at the same time, by so many threads that start together."""
        work = list(work)
        if not work:
            return []
        start = threading.Barrier(min(hands, len(work)))

        def run(number: int, one: Callable[[], Any]) -> Any:
            if number < start.parties:
                start.wait(timeout=10)
            return one()

        with ThreadPoolExecutor(start.parties) as pool:
            return [done.result() for done in [pool.submit(run, n, one) for n, one in enumerate(work)]]

    def deliver_together(self, claims: list[Claim], times: int = 1, hands: int = 8) -> list[int]:
        """Post deliveries to their functions from many workers at once; the answers' statuses."""
        work = [partial(self.mesh.deliver, claim) for claim in claims for _ in range(times)]
        return [answer.status for answer in self.together(work, hands)]

    def every_minutes(self, minutes: int) -> None:
        """Let the timers fire at the next multiple of so many minutes."""
        self.mesh.time += timedelta(minutes=minutes - self.mesh.time.minute % minutes)
        self.mesh.tick()
        self.mesh.drain()

    # -- looking behind

    def sql(self, statement: str, **parameters: Any) -> None:
        with self.mesh.db() as db:
            db.execute(text(statement), parameters)

    def one(self, statement: str, **parameters: Any) -> Any:
        return self.mesh.one(statement, **parameters)

    def events(self, type: str) -> int:
        return int(self.one("select count(*) from mesh.outbox where type = :t", t=f"sdr.{type}"))

    def enrolment(self, message: Any) -> Any:
        return self.mesh.rows("select * from sdr.enrolments where id = :id", id=UUID(message["enrolment_id"]))[0]


@pytest.fixture
def desk(mesh: Mesh, outside: World) -> Desk:
    return Desk(mesh, outside)


@pytest.fixture
def busy_desk(committed: Mesh, outside: World) -> Desk:
    """With real commits, for threads."""
    return Desk(committed, outside)


def at(iso: str) -> datetime:
    return datetime.fromisoformat(iso).astimezone(UTC)
