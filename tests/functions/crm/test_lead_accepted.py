"""A lead said yes: one company, one contact, one deal, however often and from however many places it is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest

from somos.events.sdr import LeadAccepted, MessageSent, ReplyClassified
from somos.kernel.keys import CompanyKeys
from somos.mesh import clock, outbox
from somos.mesh.ids import uuid7
from somos.modules.crm.rules.deals import follow_up_at
from somos.modules.hunter.tables.leads import Lead
from somos.modules.relations.queries.parties import relationship
from somos.modules.sdr.tables.responses import Response
from tests.functions.crm.conftest import CNPJ, House


def lead(house: House, **more: Any) -> UUID:
    """A lead as the hunter leaves it."""
    values: dict[str, Any] = {
        "state": "qualified", "source": "csv", "icp_id": uuid7(), "icp_number": 1, "company_name": "Agência Lúmen",
        "domain": "lumen.com.br", "phone": "+5511987654321", "email": "carla@lumen.com.br", "cnpj": CNPJ,
        "city": "São Paulo", "uf": "SP", "legal_basis": "legítimo interesse", "collected_at": house.mesh.time,
        "retain_until": date(2027, 12, 31), **more,
    }  # fmt: skip
    id = uuid7()
    with house.mesh.db() as db:
        db.add(Lead(id=id, **values))
    return id


def accepted(house: House, lead_id: UUID, **more: Any) -> LeadAccepted:
    values: dict[str, Any] = {"owner_id": house.ana.id, "response_id": uuid7(), "channel": "whatsapp", **more}
    return LeadAccepted(lead_id=lead_id, **values)


def totals(house: House) -> tuple[int, int, int]:
    return tuple(house.mesh.one(f"select count(*) from crm.{t}") for t in ("companies", "contacts", "deals"))


def test_an_accepted_lead_opens_company_contact_and_deal_for_its_owner(house: House):
    id = lead(house)
    house.mesh.state(accepted(house, id))
    house.mesh.drain()
    deal = house.get(house.ana, "/api/v1/deals")["items"][0]
    assert (deal["lead_id"], deal["owner_id"], deal["origin"]) == (str(id), str(house.ana.id), "lead")
    company = house.get(house.ana, f"/api/v1/companies/{deal['company_id']}")
    assert (company["name"], company["document"], company["domain"]) == ("Agência Lúmen", CNPJ, "lumen.com.br")
    contact = house.get(house.ana, f"/api/v1/contacts/{deal['contact_id']}")
    assert (contact["email"], contact["phone"]) == ("carla@lumen.com.br", "+5511987654321")
    links = house.get(house.ana, f"/api/v1/company-contacts?company_id={company['id']}")["items"]
    assert [link["contact_id"] for link in links] == [contact["id"]]
    house.call(house.bruno, f"GET /api/v1/deals/{deal['id']}").refused(404)


def test_a_branch_that_says_yes_is_a_company_of_its_own_beside_its_headquarters(house: House):
    shared = {"domain": "lumen.com.br", "phone": "+5511987654321"}
    house.company(house.ana, "Lúmen Matriz", document="04185296000113", **shared)
    blank = house.company(house.ana, "Lúmen", **shared)
    for cnpj in ("04185296000202", CNPJ):
        house.mesh.state(accepted(house, lead(house, cnpj=cnpj)))
        house.mesh.drain()
    documents = {c["id"]: c["document"] for c in house.get(house.ana, "/api/v1/companies")["items"]}
    assert sorted(documents.values()) == sorted(["04185296000113", "04185296000202", CNPJ])
    assert documents[blank["id"]] == "04185296000202"  # the one whose document nobody knew


@pytest.mark.any_day
def test_the_deal_starts_with_the_answer_on_its_timeline_and_a_first_task(house: House):
    id = lead(house)
    told = accepted(house, id)
    house.mesh.state(told)
    house.mesh.drain()
    items = house.get(house.ana, "/api/v1/deal-activities?sort=-id")["items"]
    answer = next(item for item in items if item["kind"] == "message_received")
    assert (answer["reference_id"], answer["channel"]) == (str(told.response_id), "whatsapp")
    task = next(item for item in items if item["kind"] == "task")
    assert task["assignee_id"] == str(house.ana.id)
    assert datetime.fromisoformat(task["due_at"]) == follow_up_at(house.mesh.time)


def test_told_again_and_by_another_answer_it_is_still_one_deal(house: House):
    house.mesh.twice = True
    id = lead(house)
    for _ in range(3):
        house.mesh.state(accepted(house, id))
        house.mesh.drain()
    assert totals(house) == (1, 1, 1)
    assert house.mesh.one("select count(*) from mesh.outbox where type = 'crm.deal_opened'") == 1


@pytest.mark.committed
def test_fifty_acceptances_at_once_open_one_deal(busy_house: House):
    house = busy_house
    id = lead(house)
    house.mesh.state(*(accepted(house, id) for _ in range(50)))
    outbox.fan_out(house.mesh.runtime.engine, house.mesh.runtime.routes)
    claims = outbox.claim(house.mesh.runtime.engine, "facts", 100)
    mine = [claim for claim in claims if claim.function == "crm-on-outreach-facts"]
    assert len(mine) == 50
    with ThreadPoolExecutor(12) as people:
        answers = list(people.map(house.mesh.deliver, mine))
    assert {answer.status for answer in answers} == {204}
    assert totals(house) == (1, 1, 1)
    assert house.mesh.one("select count(*) from mesh.outbox where type = 'crm.deal_opened'") == 1
    assert house.mesh.one("select count(*) from crm.deal_stage_history") == 1


@pytest.mark.committed
def test_several_leads_of_one_company_at_once_make_one_company(busy_house: House):
    house = busy_house
    # Different people and sites, one CNPJ: only the keys they share may join them.
    leads = [lead(house, email=f"p{n}@d{n}.com.br", phone=None, domain=f"d{n}.com.br") for n in range(8)]
    house.mesh.state(*(accepted(house, id) for id in leads))
    outbox.fan_out(house.mesh.runtime.engine, house.mesh.runtime.routes)
    claims = outbox.claim(house.mesh.runtime.engine, "facts", 100)
    mine = [claim for claim in claims if claim.function == "crm-on-outreach-facts"]
    with ThreadPoolExecutor(8) as people:
        assert {answer.status for answer in people.map(house.mesh.deliver, mine)} == {204}
    assert totals(house) == (1, 8, 8)


def test_a_known_company_is_matched_by_any_key_and_its_gaps_are_filled(house: House):
    known = house.company(house.bruno, "Lúmen (cliente antigo)", domain="lumen.com.br")
    house.mesh.state(accepted(house, lead(house)))
    house.mesh.drain()
    assert totals(house) == (1, 1, 1)
    company = house.get(house.bruno, f"/api/v1/companies/{known['id']}")
    assert (company["name"], company["document"]) == ("Lúmen (cliente antigo)", CNPJ)
    assert company["owner_id"] == str(house.bruno.id)
    assert house.get(house.ana, f"/api/v1/companies/{known['id']}")["id"] == known["id"]


def test_two_documents_are_two_companies_whatever_else_is_equal(house: House):
    house.company(house.bruno, "Outra", document="12ABC34501DE35", domain="lumen.com.br")
    house.mesh.state(accepted(house, lead(house)))
    house.mesh.drain()
    assert totals(house)[0] == 2


def test_messages_and_answers_join_the_timeline_of_the_deal_once(house: House):
    def settle() -> None:
        # The messages exist for this module only: their own module would look for their rows.
        house.mesh.drain(only=lambda claim: claim.function.startswith("crm-"))

    id = lead(house)
    sent, answer = uuid7(), uuid7()
    house.mesh.state(MessageSent(message_id=uuid7(), lead_id=id, channel="email"))  # before there is a deal
    settle()
    house.mesh.state(accepted(house, id, response_id=answer))
    settle()
    for _ in range(2):
        house.mesh.state(MessageSent(message_id=sent, lead_id=id, channel="email"))
        house.mesh.state(ReplyClassified(response_id=answer, lead_id=id, label="interested"))
        house.mesh.state(ReplyClassified(response_id=uuid7(), lead_id=id, label="automatic"))
    settle()
    kinds = [row["kind"] for row in house.mesh.rows("select kind from crm.deal_activities order by id")]
    assert sorted(kinds) == ["message_received", "message_sent", "task"]


def test_the_words_of_the_conversation_stand_once_on_the_timeline(house: House):
    id, answer, earlier = lead(house), uuid7(), uuid7()
    words = {answer: "Quero conversar sobre um filme", earlier: "Quem é você?"}
    with house.mesh.db() as db:
        for response_id, said in words.items():
            db.add(
                Response(
                    id=response_id, channel="whatsapp", provider_message_id=str(response_id), lead_id=id, text=said,
                    received_at=house.mesh.time, from_address="+5511987654321",
                )
            )  # fmt: skip
    house.mesh.state(accepted(house, id, response_id=answer))
    house.mesh.drain()
    deal = house.get(house.ana, "/api/v1/deals")["items"][0]
    items = house.get(house.ana, f"/api/v1/deals/{deal['id']}/timeline")["items"]
    said = [item["body"] for item in items if item["kind"] == "message_received"]
    assert sorted(said) == sorted(words.values())


def test_relationship_says_client_open_deal_or_nothing(house: House):
    def ask(**keys: str) -> Any:
        with house.mesh.db() as db:
            return relationship(db, CompanyKeys(**keys))

    assert ask(cnpj=CNPJ) is None
    house.mesh.state(accepted(house, lead(house)))
    house.mesh.drain()
    for keys in (
        {"cnpj": CNPJ},
        {"domain": "lumen.com.br"},
        {"phone": "+551187654321"},
        {"email": "carla@lumen.com.br"},
    ):
        assert ask(**keys) == "open_deal"
    assert ask() is None
    deal = house.get(house.ana, "/api/v1/deals")["items"][0]
    house.call(house.ana, f"PATCH /api/v1/deals/{deal['id']}", {"value_cents": 1_000}).ok()
    how = {"closed_on": str(clock.today()), "override_reason": "verbal"}
    house.post(house.ana, f"/api/v1/deals/{deal['id']}/win", how)
    house.mesh.drain()
    assert ask(domain="lumen.com.br") == "client"


def test_a_lost_deal_is_no_relationship(house: House):
    company = house.company(house.ana, domain="lumen.com.br")
    deal = house.deal(house.ana, company_id=company["id"])
    house.post(house.ana, f"/api/v1/deals/{deal['id']}/lose", {"lost_reason_id": str(house.lost_reason())})
    house.mesh.drain()
    with house.mesh.db() as db:
        assert relationship(db, CompanyKeys(domain="lumen.com.br")) is None
