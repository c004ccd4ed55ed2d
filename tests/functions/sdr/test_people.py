"""An opt-out is for ever: no role, import, merge or job takes it back."""

import pytest
from sqlalchemy.exc import DBAPIError

from somos.kernel.keys import PersonKeys
from somos.modules.relations.queries.addresses import person_of
from tests.functions.sdr.conftest import ANA_EMAIL, ANA_PHONE, Desk


def link_of(text: str) -> str:
    return text[text.index("/api/v1/unsubscribe/") :].split()[0]


def test_the_link_asks_first_and_one_post_is_enough(desk: Desk):
    message = desk.sent(channel="email")
    link = link_of(message["text"])
    asked = desk.mesh.call(f"GET {link}")
    assert asked.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<form method="post">' in asked.text
    assert desk.get("suppressions")["items"] == []
    for _ in range(3):
        done = desk.mesh.call(
            f"POST {link}", data="List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
        )
        assert (done.status, "Pronto" in done.text) == (200, True)
    assert {(s["kind"], s["source"]) for s in desk.get("suppressions")["items"]} == {
        ("phone", "link"),
        ("email", "link"),
    }


@pytest.mark.parametrize("token", ["a", "A" * 43, "%00", "../../x"])
def test_a_link_that_we_did_not_make_leads_nowhere(desk: Desk, token: str):
    assert desk.mesh.call(f"POST /api/v1/unsubscribe/{token}").status == 404


def test_the_link_stops_what_waits_on_the_other_channel(desk: Desk):
    lead = desk.lead()
    mail = desk.sent(lead, channel="email")
    waiting = desk.approved(lead)
    assert desk.mesh.call(f"POST {link_of(mail['text'])}").status == 200
    desk.mesh.drain()
    assert desk.left("whatsapp") == []
    assert desk.message(waiting["id"])["state"] == "cancelled"


@pytest.mark.parametrize("statement", ["delete from sdr.suppressions", "update sdr.suppressions set reach = 'address'"])
def test_the_database_refuses_to_take_a_suppression_back(desk: Desk, statement: str):
    desk.post("suppressions", {"phone": ANA_PHONE, "reason": "pediu"})
    with pytest.raises(DBAPIError, match="42501"):
        desk.sql(statement)


@pytest.mark.parametrize("role", ["Admin", "Diretor", "Comercial"])
@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT"])
def test_no_role_has_a_way_to_take_a_suppression_back(desk: Desk, role: str, method: str):
    desk.post("suppressions", {"phone": ANA_PHONE, "reason": "pediu"})
    id = desk.get("suppressions")["items"][0]["id"]
    who = desk.mesh.person(role)
    for path in (f"/api/v1/suppressions/{id}", "/api/v1/suppressions"):
        assert desk.call(f"{method} {path}", {}, as_=who).status in (404, 405)


def test_a_suppression_survives_the_erasure_of_the_persons_data(desk: Desk):
    desk.sent()
    desk.hears("parar")
    desk.sql("update sdr.outreach_messages set to_address = '', text = '', subject = null")
    desk.sql("update sdr.responses set from_address = '', text = ''")
    assert desk.campaign_refuses(desk.lead())


def test_a_suppression_holds_no_address(desk: Desk):
    desk.post("suppressions", {"phone": ANA_PHONE, "email": ANA_EMAIL, "reason": "pediu"})
    kept = str(desk.mesh.rows("select * from sdr.suppressions"))
    assert ANA_PHONE not in kept
    assert ANA_EMAIL not in kept


def test_adding_somebody_twice_changes_nothing(desk: Desk):
    for phone in (ANA_PHONE, "(11) 95555-0101"):
        desk.post("suppressions", {"phone": phone, "reason": "pediu"})
    assert len(desk.get("suppressions")["items"]) == 1


def test_a_seller_may_suppress_and_an_agent_may_not(desk: Desk):
    desk.sent(desk.lead())
    made = desk.post("suppressions", {"phone": ANA_PHONE, "reason": "pediu"}, as_=desk.ana)
    assert made == {"addresses": 2, "cancelled": 0}


def test_what_is_not_an_address_is_refused(desk: Desk):
    for body in ({"reason": "pediu"}, {"phone": "123", "reason": "pediu"}, {"email": "x", "reason": "pediu"}):
        desk.call("POST /api/v1/suppressions", body).refused(422)


def test_other_modules_may_ask(desk: Desk):
    desk.sent()
    keys = PersonKeys.of("11 95555-0101", None)
    with desk.mesh.db() as db:
        assert person_of(db, keys).last_contact_at == desk.mesh.time
        assert not person_of(db, keys).suppressed
    desk.hears("sair")
    with desk.mesh.db() as db:
        assert person_of(db, keys).suppressed
        assert person_of(db, PersonKeys.of(None, ANA_EMAIL)).suppressed
        assert not person_of(db, PersonKeys.of("11 95555-0109", None)).suppressed
        assert person_of(db, PersonKeys()).last_contact_at is None


def test_who_writes_again_may_be_answered_there_and_in_no_campaign(desk: Desk):
    lead = desk.lead(owner_id=desk.ana.id)
    desk.sent(lead)
    desk.hears("parar")
    refused = desk.post(f"conversations/{lead}/reply", {"text": "Desculpe o incômodo."}, as_=desk.ana)
    desk.mesh.drain()
    assert desk.message(refused["id"])["state"] == "cancelled"
    desk.mesh.advance(hours=1)
    desk.hears("Mudei de ideia: tenho interesse sim, podemos conversar?")
    desk.mesh.advance(minutes=1)
    answer = desk.post(f"conversations/{lead}/reply", {"text": "Claro! Quinta às 15h?"}, as_=desk.ana)
    desk.mesh.drain()
    assert desk.message(answer["id"])["state"] == "sent"
    assert desk.campaign_refuses(desk.lead())
    desk.hears("parar")
    desk.mesh.advance(minutes=1)
    again = desk.post(f"conversations/{lead}/reply", {"text": "Tudo bem."}, as_=desk.ana)
    desk.mesh.drain()
    assert desk.message(again["id"])["state"] == "cancelled"
