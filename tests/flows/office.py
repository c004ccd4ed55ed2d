"""What people of the house do in stories, through the public doors only."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request

from somos.migrations import seed
from tests.harness.mesh import Mesh, Person
from tests.harness.world import World

A_MOMENT = timedelta(seconds=100)
ALWAYS = {"opens": "00:00", "closes": "24:00", "weekdays": [0, 1, 2, 3, 4, 5, 6], "skip_holidays": False}
AGENCIES = {
    "segments": ["agência de publicidade"],
    "cnaes": ["7311"],
    "cities": ["São Paulo"],
    "ufs": ["SP"],
    "employees_min": 50,
    "roles": ["diretor", "atendimento", "marketing"],
}


class Office:
    """The direction, a seller, and the world outside."""

    def __init__(self, mesh: Mesh, world: World) -> None:
        self.mesh, self.world = mesh, world

    @cached_property
    def helena(self) -> Person:
        """The direction."""
        return self.mesh.person("Diretor", "Helena Prado")

    @cached_property
    def bruno(self) -> Person:
        """A seller."""
        return self.mesh.person("Comercial", "Bruno Reis")

    def ask(self, what: str, body: Any = None, as_: Person | None = None) -> Any:
        """What the door answers to the direction (or another); fails the test on a problem."""
        return self.mesh.call(what, body, as_=as_ or self.helena).ok()

    def all(self, path: str, as_: Person | None = None) -> list[Any]:
        items: list[Any] = self.ask(f"GET {path}{'&' if '?' in path else '?'}limit=200", as_=as_)["items"]
        return items

    def settle(self) -> None:
        """Until neither the mesh nor the world has anything left to do."""
        while self.mesh.drain() or self._skip_a_short_wait():
            assert self.world.post("wait", timeout=20)["idle"]

    def _skip_a_short_wait(self) -> bool:
        """Move the clock to the next delivery that was put off for a moment."""
        due = self.mesh.one("select min(due_at) from mesh.deliveries where state = 'due'")
        if due is None or due - self.mesh.time > A_MOMENT:
            return False
        self.mesh.time = max(due, self.mesh.time)
        return True

    # -- chapters

    @cached_property
    def icp(self) -> str:
        body = {"name": "Agências de publicidade em São Paulo, 50+ funcionários", "criteria": AGENCIES}
        return str(self.ask("POST /api/v1/icp-profiles", body)["id"])

    def search(self, limit: int = 4) -> Any:
        """Run a search for at most `limit` more leads to its end; its task."""
        task = self.ask("POST /api/v1/hunter/search", {"icp_id": self.icp, "limit": limit})["task_id"]
        self.settle()
        return self.ask(f"GET /api/v1/agents/tasks/{task}")

    def leads(self, **of: str) -> list[Any]:
        return self.all("/api/v1/leads?" + "&".join(f"{name}={value}" for name, value in of.items()))

    @cached_property
    def senders(self) -> dict[str, str]:
        """A sender of each channel, open at any hour."""
        made = {}
        for channel, address in (("whatsapp", "somos"), ("email", "Helena <helena@somosprodutora.com.br>")):
            body = {"channel": channel, "name": channel, "person_name": "Helena", "address": address, **ALWAYS}
            made[channel] = str(self.ask("POST /api/v1/senders", body)["id"])
        return made

    def campaign(self, leads: list[Any], channel: str = "whatsapp") -> str:
        """Start a campaign and let it write its drafts; its task."""
        body = {"lead_ids": [lead["id"] for lead in leads], "channel": channel, "sender_id": self.senders[channel]}
        task = str(self.ask("POST /api/v1/sdr/campaign", body)["task_id"])
        self.settle()
        return task

    def messages(self, state: str | None = None) -> list[Any]:
        return self.all(f"/api/v1/outreach-messages{f'?state={state}' if state else ''}")

    def approve(self, *messages: Any) -> None:
        """Approve each message by itself, as it was read."""
        for message in messages or self.messages("awaiting_approval"):
            body = {"text_hash": message["text_hash"]}
            self.ask(f"POST /api/v1/outreach-messages/{message['id']}/approve", body)

    def received(self) -> list[Any]:
        """What the outside got from us."""
        found: list[Any] = self.world.get("sent")
        return found

    def answers(self) -> dict[str, int]:
        """How many answers of each class came in."""
        counted: dict[str, int] = {}
        for response in self.all("/api/v1/responses"):
            counted[str(response["label"])] = counted.get(str(response["label"]), 0) + 1
        return counted


@contextmanager
def opened(mesh: Mesh, outside: World) -> Iterator[Office]:
    """A house at work: its people, and a door for the providers' webhooks."""
    seed(mesh.runtime.settings.database_url)
    server = make_server("127.0.0.1", 0, Request.application(mesh.app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    door = f"http://127.0.0.1:{server.server_port}/webhook"
    outside.post("settings", whatsapp_webhook_url=f"{door}/whatsapp", email_webhook_url=f"{door}/email")
    try:
        yield Office(mesh, outside)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
