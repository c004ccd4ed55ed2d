"""A lead follows what outreach and the pipeline say of it, in whatever order they say it."""

from datetime import date, time, timedelta

import pytest

from somos.events.crm import DealOpened, DealWon
from somos.events.sdr import LeadAccepted, MessageSent, PersonSuppressed, ReplyClassified
from somos.kernel.keys import key_hash
from somos.mesh import clock
from somos.mesh.ids import uuid7
from tests.functions.hunter.conftest import Hunt

SECRET = "supressao-de-teste"


@pytest.fixture(params=[False, True], ids=["once", "twice"])
def twice(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def lead(hunt: Hunt):
    """A qualified lead."""
    return hunt.qualified_lead()


def state(hunt: Hunt, lead) -> str:
    return hunt.get(f"/api/v1/leads/{lead['id']}")["state"]


def sent(lead) -> MessageSent:
    return MessageSent(message_id=uuid7(), lead_id=lead["id"], channel="whatsapp")


def said(lead, label: str, later_date: date | None = None) -> ReplyClassified:
    return ReplyClassified(response_id=uuid7(), lead_id=lead["id"], label=label, later_date=later_date)


def opened(lead, deal_id=None) -> DealOpened:
    return DealOpened(deal_id=deal_id or uuid7(), owner_id=None, lead_id=lead["id"])


def tick(hunt: Hunt, day: date, hour: time) -> None:
    """Let the timers of this hour in São Paulo fire."""
    hunt.mesh.at(hour, day)
    hunt.mesh.tick()
    hunt.run("hunter-")


def wake(hunt: Hunt, day: date) -> None:
    """Let the timer fire that brings leads back."""
    tick(hunt, day, time(7, 10))


def test_from_the_first_message_to_the_deal(hunt: Hunt, lead):
    hunt.hear(sent(lead))
    assert state(hunt, lead) == "in_cadence"
    hunt.hear(said(lead, "interested"))
    assert state(hunt, lead) == "replied"
    hunt.hear(LeadAccepted(lead_id=lead["id"], owner_id=hunt.comercial.id, response_id=uuid7(), channel="whatsapp"))
    assert hunt.get(f"/api/v1/leads/{lead['id']}")["owner_id"] == str(hunt.comercial.id)
    assert state(hunt, lead) == "accepted"
    deal = uuid7()
    hunt.hear(opened(lead, deal))
    shown = hunt.get(f"/api/v1/leads/{lead['id']}")
    assert (shown["state"], shown["deal_id"], shown["relationship"]) == ("converted", str(deal), "open_deal")
    hunt.hear(DealWon(deal_id=deal, company_id=uuid7()))
    assert hunt.get(f"/api/v1/leads/{lead['id']}")["relationship"] == "client"


def test_a_converted_lead_has_exactly_one_deal(hunt: Hunt, lead):
    first = uuid7()
    hunt.hear(opened(lead, first))
    hunt.hear(opened(lead))
    assert hunt.get(f"/api/v1/leads/{lead['id']}")["deal_id"] == str(first)


def test_facts_out_of_order_end_in_the_same_place(hunt: Hunt, lead):
    hunt.hear(opened(lead), said(lead, "interested"), sent(lead))
    assert state(hunt, lead) == "converted"


@pytest.mark.parametrize(
    ("label", "ends"),
    [("no", "not_interested"), ("wrong_person", "not_interested"), ("question", "replied"), ("automatic", "in_cadence"),
     ("bounce", "in_cadence"), ("optout", "blocked")],
)  # fmt: skip
def test_an_answer_moves_the_lead_as_it_means(hunt: Hunt, lead, label: str, ends: str):
    hunt.hear(sent(lead))
    hunt.hear(said(lead, label))
    assert state(hunt, lead) == ends


@pytest.mark.any_day
def test_a_lead_that_said_later_comes_back_on_its_day(hunt: Hunt, lead):
    hunt.hear(sent(lead))
    hunt.hear(said(lead, "later"))
    day = clock.today() + timedelta(days=30)
    assert hunt.get(f"/api/v1/leads/{lead['id']}")["later_until"] == str(day)
    wake(hunt, day - timedelta(days=1))
    assert state(hunt, lead) == "later"
    wake(hunt, day)
    assert state(hunt, lead) == "qualified"


@pytest.mark.any_day
def test_a_lead_that_named_a_day_comes_back_on_that_day(hunt: Hunt, lead):
    hunt.hear(sent(lead))
    named = clock.today() + timedelta(days=98)
    hunt.hear(said(lead, "later", named))
    assert hunt.get(f"/api/v1/leads/{lead['id']}")["later_until"] == str(named)
    for day, ends in ((named - timedelta(days=1), "later"), (named, "qualified")):
        wake(hunt, day)
        assert state(hunt, lead) == ends


def test_an_automatic_answer_does_not_move_the_day_that_a_person_named(hunt: Hunt, lead):
    hunt.hear(sent(lead))
    named = clock.today() + timedelta(days=98)
    hunt.hear(said(lead, "later", named))
    hunt.hear(said(lead, "automatic"))
    assert hunt.get(f"/api/v1/leads/{lead['id']}")["later_until"] == str(named)


def test_a_suppressed_address_blocks_its_lead_for_good(hunt: Hunt, lead):
    hunt.hear(PersonSuppressed(person_key=key_hash(SECRET, "phone", "+5511955550199")))
    assert state(hunt, lead) == "blocked"
    hunt.hear(said(lead, "interested"), opened(lead))
    assert state(hunt, lead) == "blocked"


def test_a_suppression_that_nobody_here_has_changes_nothing(hunt: Hunt, lead):
    hunt.hear(PersonSuppressed(person_key=key_hash(SECRET, "phone", "+5511955550100")))
    assert state(hunt, lead) == "qualified"


def test_a_lead_suppressed_while_it_is_being_judged_still_lets_its_search_end(hunt: Hunt):
    icp = hunt.icp()
    report = hunt.imported(icp, "Empresa;Celular\nLúmen;11 95555-0188\n").ok()
    hunt.hear(PersonSuppressed(person_key=key_hash(SECRET, "phone", "+5511955550188")))
    hunt.mesh.drain()
    session = hunt.get(f"/api/v1/search-sessions/{report['session_id']}")
    assert (session["state"], session["blocked"], session["settled"]) == ("completed", 1, 1)


# --- retention -----------------------------------------------------------------------------------------


def purge(hunt: Hunt, day: date) -> None:
    """Let the timer of the small hours fire on this day."""
    tick(hunt, day, time(4, 20))


@pytest.mark.any_day
def test_a_lead_nobody_wrote_to_is_erased_when_its_time_is_over_and_may_be_found_again(hunt: Hunt, lead):
    last = clock.today() + timedelta(days=180)
    purge(hunt, last)
    assert state(hunt, lead) == "qualified"
    purge(hunt, last + timedelta(days=1))
    shown = hunt.get(f"/api/v1/leads/{lead['id']}")
    assert (shown["state"], shown["company_name"], shown["phone"], shown["sources"]) == ("erased", None, None, [])
    assert shown["lgpd"]["erased_why"] == "retention"
    assert hunt.mesh.one("select data ->> 'why' from mesh.outbox where type = 'hunter.lead_erased'") == "retention"
    assert hunt.mesh.one("select count(*) from hunter.lead_keys where lead_id = :id", id=lead["id"]) > 0
    report = hunt.imported(hunt.icp(), "Empresa;Celular\nLúmen;11 95555-0199\n").ok()
    assert report["accepted"] == 1


def test_a_lead_somebody_wrote_to_is_kept(hunt: Hunt, lead):
    hunt.hear(sent(lead))
    purge(hunt, clock.today() + timedelta(days=212))
    assert state(hunt, lead) == "in_cadence"
