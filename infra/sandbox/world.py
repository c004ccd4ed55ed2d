"""The parts of the world put together, and what they have in common: who a number or address belongs to."""

import json
from dataclasses import dataclass
from typing import Any

from infra.sandbox.agenda import Agenda
from infra.sandbox.config import Config
from infra.sandbox.faults import Faults
from infra.sandbox.people import SAYS, Person, companies, person_from, phone_forms
from infra.sandbox.state import State, iso, now
from infra.sandbox.webhooks import Webhooks

SECONDS_PER_DAY = 86_400


@dataclass(slots=True)
class World:
    """Everything a provider's blueprint needs."""

    config: Config
    state: State
    agenda: Agenda
    webhooks: Webhooks
    faults: Faults

    def steps(self, count: float) -> float:
        """Seconds that so many steps of everyday delay take."""
        return count * self.config.delay_ms / 1000

    def people(self) -> list[Person]:
        changes = {r["id"]: json.loads(r["changes"]) for r in self.state.rows("SELECT * FROM people ORDER BY id")}
        settled = [person_from(changes.pop(c.person.id, {}), c.person) for c in companies()]
        return settled + [person_from({**extra, "id": id_}) for id_, extra in changes.items()]

    def person(self, person_id: str | None) -> Person | None:
        base = next((c.person for c in companies() if c.person.id == person_id), None)
        row = self.state.one("SELECT changes FROM people WHERE id=?", person_id)
        if row is None:
            return base
        return person_from({**json.loads(row["changes"]), "id": person_id}, base)

    def change_person(self, person_id: str, changes: dict[str, Any]) -> Person:
        with self.state.write():
            row = self.state.one("SELECT changes FROM people WHERE id=?", person_id)
            merged = {**(json.loads(row["changes"]) if row else {}), **changes}
            self.state.run("INSERT OR REPLACE INTO people VALUES (?, ?)", person_id, json.dumps(merged))
            # In another mood they answer anew; that they once opted out stays known.
            self.state.run("UPDATE answered SET channel='' WHERE person=?", person_id)
        person = self.person(person_id)
        assert person is not None
        return person

    def by_phone(self, number: str) -> Person | None:
        forms = phone_forms(number)
        return next((p for p in self.people() if p.phone and phone_forms(p.phone) & forms), None)

    def by_email(self, address: str) -> Person | None:
        """Whoever has the address; mail to any other box of a company reaches the person who answers there."""
        wanted = address.lower()
        everyone = self.people()
        exact = next((p for p in everyone if p.email == wanted), None)
        domain = wanted.rpartition("@")[2]
        return exact or next((p for p in everyone if p.email.rpartition("@")[2] == domain), None)

    def answer_of(self, person: Person | None, channel: str) -> str | None:
        """What the person says to a first message on a channel; they answer once and then keep quiet."""
        if person is None:
            return None
        told = person.says or SAYS[person.temperament]
        if told is None or self.state.one("SELECT 1 FROM answered WHERE person=? AND channel=?", person.id, channel):
            return None
        later = iso(now() + 60 * SECONDS_PER_DAY)[:10]
        return told.replace("{later}", "/".join(reversed(later.split("-"))))

    def answered(self, person: Person, channel: str) -> None:
        self.state.insert(
            "answered", person=person.id, channel=channel, at=now(),
            optout=person.temperament in ("optout", "complaint"),
        )  # fmt: skip

    def opted_out(self, person: Person | None) -> bool:
        if person is None:
            return False
        return self.state.one("SELECT 1 FROM answered WHERE person=? AND optout=1", person.id) is not None
