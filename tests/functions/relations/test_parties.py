"""Whatever people do in the pipeline, in whatever order it is told: relations answers what the pipeline's rows say."""

import json
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from somos.kernel.keys import CompanyKeys
from somos.kernel.phones import phone_variants
from somos.mesh import clock, outbox
from somos.mesh.ids import uuid7
from somos.modules.relations.queries.parties import relationships
from tests.functions.crm.conftest import House
from tests.harness.mesh import Mesh

DOCUMENTS = ["11222333000181", "12ABC34501DE35"]
DOMAINS = ["lumen.com.br", "farol.com.br", "norte.com.br"]
PHONES = ["+5511987654321", "+5511955550101", "+551133334444"]
EMAILS = ["carla@lumen.com.br", "davi@farol.com.br", "oi@norte.com.br"]

# The truth, asked of the pipeline's own tables.
TRUTH = text("""
with asked as (
    select * from jsonb_to_recordset(cast(:asked as jsonb))
        as a(id uuid, document text, domain text, phone text, email text, phones text[])
), companies as (
    select a.id, coalesce(c.merged_into_id, c.id) as company_id from asked a join crm.companies c
        on c.document = a.document
    union select a.id, coalesce(c.merged_into_id, c.id) from asked a join crm.companies c on c.domain = a.domain
    union select a.id, coalesce(c.merged_into_id, c.id) from asked a join crm.companies c on c.phone = a.phone
    union select a.id, coalesce(c.merged_into_id, c.id) from asked a join crm.companies c on c.email = a.email
), people as (
    select a.id, coalesce(p.merged_into_id, p.id) as contact_id from asked a join crm.contacts p on p.email = a.email
    union select a.id, coalesce(p.merged_into_id, p.id) from asked a join crm.contacts p on p.phone = any(a.phones)
), employers as (
    select p.id, e.company_id from people p join crm.company_contacts e on e.contact_id = p.contact_id
), deals as (
    select c.id, d.state from companies c join crm.deals d on d.company_id = c.company_id
    union select p.id, d.state from people p join crm.deals d on d.contact_id = p.contact_id
    union select e.id, d.state from employers e join crm.deals d on d.company_id = e.company_id
)
select id, bool_or(state = 'won') as is_client from deals where state <> 'lost' group by id
""")


class Office:
    """People who do whatever comes to mind; what is refused changes nothing."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.random = house, Random(seed)
        self.done: dict[str, int] = {}

    def act(self) -> None:
        name = self.random.choice([name for name in dir(self) if name.startswith("do_")])
        if getattr(self, name)():
            self.done[name] = self.done.get(name, 0) + 1

    def do_make_company(self) -> bool:
        return self.ask("POST companies", {"name": "Lumen", **self.some(company=True)})

    def do_change_company(self) -> bool:
        return self.ask(f"PATCH companies/{self.one('companies')}", self.some(company=True))

    def do_delete_company(self) -> bool:
        return self.ask(f"DELETE companies/{self.one('companies')}")

    def do_make_contact(self) -> bool:
        return self.ask("POST contacts", {"name": "Carla", **self.some()})

    def do_change_contact(self) -> bool:
        return self.ask(f"PATCH contacts/{self.one('contacts')}", self.some())

    def do_delete_contact(self) -> bool:
        return self.ask(f"DELETE contacts/{self.one('contacts')}")

    def do_employ(self) -> bool:
        pair = {"company_id": self.one("companies"), "contact_id": self.one("contacts")}
        return self.ask("POST company-contacts", {**pair, "role": self.random.choice(["decide", "paga"])})

    def do_dismiss(self) -> bool:
        return self.ask(f"DELETE company-contacts/{self.one('company_contacts')}")

    def do_open_deal(self) -> bool:
        return self.ask("POST deals", {"title": "Filme", "value_cents": 100, **self.about()})

    def do_change_deal(self) -> bool:
        return self.ask(f"PATCH deals/{self.one('deals')}", self.about())

    def do_delete_deal(self) -> bool:
        return self.ask(f"DELETE deals/{self.one('deals')}")

    def do_win(self) -> bool:
        how = {"closed_on": str(clock.today()), "override_reason": "verbal"}
        company = self.one("companies", "where document is not null and merged_into_id is null")
        deal = {"title": "Filme", "value_cents": 100, "company_id": company}
        opened = self.house.call(self.house.diretora, "POST /api/v1/deals", deal)
        if opened.status >= 300:
            return False
        self.house.post(self.house.diretora, f"/api/v1/deals/{opened.json['id']}/win", how)
        return True

    def do_lose(self) -> bool:
        return self.ask(f"POST deals/{self.one('deals')}/lose", {"lost_reason_id": str(self.house.lost_reason())})

    def do_reopen(self) -> bool:
        again = {"reason": "Voltou a falar conosco", "expected_close_date": str(clock.today())}
        return self.ask(f"POST deals/{self.one('deals')}/reopen", again)

    def do_merge_companies(self) -> bool:
        return self.merge("company", "companies")

    def do_merge_contacts(self) -> bool:
        return self.merge("contact", "contacts")

    def do_import(self) -> bool:
        keys = [self.random.choice(["", *values]) for values in (DOMAINS, PHONES, EMAILS)]
        line = ["Norte", *keys, "Davi", self.random.choice(EMAILS), self.random.choice(["", "Filme de verão"])]
        sheet = f"Empresa;Site;Telefone;E-mail;Contato;E-mail do contato;Negócio\n{';'.join(line)}\n"
        seen = self.house.call(
            self.house.ana, "POST /api/v1/imports", data=sheet.encode(), content_type="text/csv"
        ).ok()
        return self.ask(f"POST imports/{seen['id']}/apply", {})

    def do_undo_import(self) -> bool:
        return self.ask(f"POST imports/{self.one('imports')}/undo", {})

    def ask(self, what: str, body: Any = None) -> bool:
        method, _, path = what.partition(" ")
        who = self.random.choice([self.house.diretora, self.house.ana, self.house.bruno])
        answer = self.house.call(who, f"{method} /api/v1/{path}", body)
        assert answer.status < 500, answer.text
        return answer.status < 300

    def merge(self, kind: str, table: str) -> bool:
        pair = {f"{name}_id": self.one(table, "where merged_into_id is null") for name in ("survivor", "absorbed")}
        choices = dict.fromkeys(["document"] if kind == "company" else [], "absorbed")
        return self.ask("POST merges", {"kind": kind, **pair, "choices": choices})

    def some(self, company: bool = False) -> dict[str, str | None]:
        pools = {"phone": PHONES, "email": EMAILS} | ({"document": DOCUMENTS, "domain": DOMAINS} if company else {})
        return {name: self.random.choice([None, *pool]) for name, pool in pools.items() if self.random.random() < 0.7}

    def about(self) -> dict[str, str]:
        pair = {"company_id": "companies", "contact_id": "contacts"}
        return {name: self.one(table) for name, table in pair.items() if self.random.random() < 0.7}

    def one(self, table: str, where: str = "") -> str:
        ids = [str(row["id"]) for row in self.house.mesh.rows(f"select id from crm.{table} {where} order by id")]
        return self.random.choice(ids or [str(uuid7())])

    def told(self) -> None:
        """Everything that was stated, each twice and in any order."""
        mesh = self.house.mesh
        engine, routes = mesh.runtime.engine, mesh.runtime.routes
        outbox.fan_out(engine, routes)
        claims = [claim for queue in outbox.due_queues(engine) for claim in outbox.claim(engine, queue, 500)] * 2
        self.random.shuffle(claims)
        for claim in claims:
            assert mesh.deliver(claim).status < 300

    def check(self) -> set[str]:
        """Both answers are the same for every bearer of some keys; which answers there were."""
        bearers = [CompanyKeys(cnpj=one) for one in DOCUMENTS] + [CompanyKeys(domain=one) for one in DOMAINS]
        bearers += [CompanyKeys(phone=one) for one in PHONES] + [CompanyKeys(email=one) for one in EMAILS]
        bearers += [CompanyKeys(domain=a, email=b) for a in DOMAINS for b in EMAILS] + [CompanyKeys()]
        asked = {UUID(int=number + 1): keys for number, keys in enumerate(bearers)}
        rows = [
            {
                "id": str(id), "document": keys.cnpj, "domain": keys.domain, "phone": keys.phone, "email": keys.email,
                "phones": phone_variants(keys.phone) if keys.phone else [],
            }
            for id, keys in asked.items()
        ]  # fmt: skip
        with self.house.mesh.db() as db:
            truth = db.execute(TRUTH, {"asked": json.dumps(rows)}).all()
            answers = relationships(db, asked)
        assert answers == {row.id: "client" if row.is_client else "open_deal" for row in truth}, self.done
        return set(answers.values())


@pytest.fixture
def house(mesh: Mesh) -> House:
    return House(mesh)


@pytest.mark.parametrize("seed", range(4))
def test_relations_answers_what_the_pipelines_rows_say(house: House, seed: int) -> None:
    office, seen = Office(house, seed), set[str]()
    for _ in range(8):
        for _ in range(15):
            office.act()
        office.told()
        seen |= office.check()
    assert seen
    assert len(office.done) > 10


def test_nothing_of_a_party_can_be_read_in_what_is_kept_or_stated(house: House) -> None:
    house.company(house.ana, document=DOCUMENTS[0], domain=DOMAINS[0], phone=PHONES[0], email=EMAILS[0])
    house.mesh.drain()
    kept = house.mesh.rows("select p::text as row from relations.parties p")
    kept += house.mesh.rows("select data::text as row from mesh.outbox where type = 'crm.parties_restated'")
    assert len(kept) == 2
    for value in (DOCUMENTS[0], DOMAINS[0], PHONES[0].removeprefix("+55"), EMAILS[0]):
        assert not [row for row in kept if value in row["row"]]


def test_who_is_gone_from_the_pipeline_leaves_no_key(house: House) -> None:
    contact = house.contact(house.ana, email=EMAILS[0])
    house.mesh.drain()
    assert house.mesh.one("select cardinality(keys) from relations.parties") == 1
    house.call(house.ana, f"DELETE /api/v1/contacts/{contact['id']}").ok()
    house.mesh.drain()
    assert house.mesh.one("select cardinality(keys) from relations.parties") == 0
