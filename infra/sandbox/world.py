"""The parts of the world put together, and what they have in common: who a number or address belongs to."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from infra.sandbox.agenda import Agenda
from infra.sandbox.clock import now
from infra.sandbox.config import Config
from infra.sandbox.faults import Faults
from infra.sandbox.people import SAYS, Person, companies, person_from, phone_forms
from infra.sandbox.state import State
from infra.sandbox.webhooks import Webhooks

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


class Directory:
    """People by id, by every form of their phone, and by address and domain (the first at a domain counts)."""

    def __init__(self, people: list[Person]) -> None:
        self.by_id = {p.id: p for p in people}
        self.by_phone: dict[str, Person] = {}
        self.by_email: dict[str, Person] = {}
        for person in people:
            for form in phone_forms(person.phone) if person.phone else ():
                self.by_phone.setdefault(form, person)
            if person.email:
                self.by_email.setdefault(person.email, person)
                self.by_email.setdefault(person.email.rpartition("@")[2], person)


@dataclass(slots=True)
class World:
    """Everything a provider's blueprint needs."""

    config: Config
    state: State
    agenda: Agenda
    webhooks: Webhooks
    faults: Faults
    _directory: Directory | None = field(default=None, init=False)

    def steps(self, count: float) -> float:
        """Seconds that so many steps of everyday delay take."""
        return count * self.config.delay_ms / 1000

    @property
    def directory(self) -> Directory:
        """Everyone as they are now: the invented companies' people, changed or joined by the control API."""
        with self.state.write():  # nobody changes a person between the reading and the keeping
            if self._directory is None:
                rows = self.state.rows("SELECT * FROM people ORDER BY id")
                changes = {r["id"]: json.loads(r["changes"]) for r in rows}
                settled = [person_from(changes.pop(c.person.id, {}), c.person) for c in companies()]
                joined = [person_from({**extra, "id": id_}) for id_, extra in changes.items()]
                self._directory = Directory(settled + joined)
            return self._directory

    def people(self) -> list[Person]:
        return list(self.directory.by_id.values())

    def person(self, person_id: str | None) -> Person | None:
        return self.directory.by_id.get(person_id or "")

    def change_person(self, person_id: str, changes: dict[str, Any]) -> Person:
        with self.state.write():
            row = self.state.one("SELECT changes FROM people WHERE id=?", person_id)
            merged = {**(json.loads(row["changes"]) if row else {}), **changes}
            self.state.run("INSERT OR REPLACE INTO people VALUES (?, ?)", person_id, json.dumps(merged))
            # In another mood they answer anew; that they once opted out stays known.
            self.state.run("UPDATE answered SET channel='' WHERE person=?", person_id)
            self._directory = None
        return self.directory.by_id[person_id]

    def reset(self, seed: int | None) -> None:
        self.state.reset(seed)
        self._directory = None

    def by_phone(self, number: str) -> Person | None:
        phones = self.directory.by_phone
        return next((phones[form] for form in phone_forms(number) if form in phones), None)

    def by_email(self, address: str) -> Person | None:
        """Whoever has the address; mail to any other box of a company reaches the person who answers there."""
        address_lower, boxes = address.lower(), self.directory.by_email
        return boxes.get(address_lower) or boxes.get(address_lower.rpartition("@")[2])

    def answer_of(self, person: Person | None, channel: str) -> str | None:
        """What the person says to a first message on a channel; they answer once and then keep quiet."""
        if person is None:
            return None
        answer = person.says or SAYS[person.temperament]
        if answer is None or self.state.one("SELECT 1 FROM answered WHERE person=? AND channel=?", person.id, channel):
            return None
        later = datetime.fromtimestamp(now(), SAO_PAULO) + timedelta(days=60)
        return answer.replace("{later}", f"{later:%d/%m/%Y}")

    def answered(self, person: Person, channel: str) -> None:
        self.state.insert(
            "answered", person=person.id, channel=channel, at=now(),
            optout=person.temperament in ("optout", "complaint"),
        )  # fmt: skip

    def opted_out(self, person: Person | None) -> bool:
        if person is None:
            return False
        return self.state.one("SELECT 1 FROM answered WHERE person=? AND optout=1", person.id) is not None
