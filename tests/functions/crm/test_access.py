"""Nobody sees what is not theirs: in no list, count, total, search, timeline or export, and not in the database."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from somos.mesh.dispatch import sqlstate
from somos.mesh.ids import uuid7
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.company_contacts import CompanyContact
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deal_activities import DealActivity
from somos.modules.crm.tables.deal_stage_history import DealStageHistory
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.imports import Import, ImportRow
from somos.modules.crm.tables.merges import Merge
from somos.modules.crm.tables.private_notes import PrivateNote
from somos.modules.crm.tables.saved_views import SavedView
from somos.modules.crm.tables.taggings import Tagging
from tests.functions.crm.conftest import CNPJ, House

SECRET = "Zebra Confidencial"


@pytest.fixture
def secret(house: House) -> dict[str, Any]:
    """Everything Bruno has about one client, each thing with a word that must not leak to Ana."""
    company = house.company(house.bruno, SECRET, document=CNPJ, domain="zebra.com.br", phone="11 3222-3344")
    contact = house.contact(house.bruno, f"Pessoa {SECRET}", email="pessoa@zebra.com.br")
    link = {"company_id": company["id"], "contact_id": contact["id"], "role": "decide"}
    house.post(house.bruno, "/api/v1/company-contacts", link)
    deal = house.deal(
        house.bruno,
        f"Filme {SECRET}",
        company_id=company["id"],
        contact_id=contact["id"],
        value_cents=77_777_777,
        expected_close_date="2026-12-10",
    )
    note = {"deal_id": deal["id"], "kind": "note", "subject": SECRET}
    activity = house.post(house.bruno, "/api/v1/deal-activities", note)
    tag = house.post(house.bruno, "/api/v1/tags", {"name": "Quente"})
    tagging = house.post(house.bruno, "/api/v1/taggings", {"tag_id": tag["id"], "deal_id": deal["id"]})
    view = {"view_of": "deals", "name": SECRET, "filters": {"q": "zebra"}}
    saved = house.post(house.bruno, "/api/v1/saved-views", view)
    imported = house.post(
        house.bruno, "/api/v1/imports", data=f"Empresa;Telefone\n{SECRET};x\n".encode(), content_type="text/csv"
    )
    return {
        "deals": deal["id"],
        "companies": company["id"],
        "contacts": contact["id"],
        "deal-activities": activity["id"],
        "taggings": tagging["id"],
        "saved-views": saved["id"],
        "imports": imported["id"],
        "tag": tag["id"],
    }


def test_the_owner_and_the_direction_see_it_all(house: House, secret: dict[str, Any]):
    for who in (house.bruno, house.diretora):
        for what in ("deals", "companies", "contacts", "deal-activities"):
            assert house.get(who, f"/api/v1/{what}/{secret[what]}")["id"] == secret[what]


def test_another_seller_finds_no_trace_in_any_reading(house: House, secret: dict[str, Any]):
    pipeline = house.pipeline()
    readings = [
        "deals", "deals?q=zebra", f"deals?tag_id={secret['tag']}", f"deals?company_id={secret['companies']}",
        "deals/forecast", "deals/summary", "deals/export", f"deals/board?pipeline_id={pipeline}",
        f"deals/stage-report?pipeline_id={pipeline}", "companies", "companies?q=zebra", f"companies?document={CNPJ}",
        "contacts", f"contacts?company_id={secret['companies']}", "company-contacts", "deal-activities",
        f"deal-activities?deal_id={secret['deals']}", "taggings", "saved-views", "imports", "merges",
        "private-notes", "crm/search?q=zebra", f"crm/search?q={CNPJ}", "crm/search?q=zebra.com.br",
        "crm/search?q=pessoa@zebra.com.br", "crm/search?q=1132223344",
    ]  # fmt: skip
    for reading in readings:
        text = house.call(house.ana, f"GET /api/v1/{reading}").text
        for trace in (SECRET, "77777777", "zebra", *(id for what, id in secret.items() if what != "tag")):
            assert trace not in text, f"{reading} shows {trace}"


def test_counts_and_totals_are_of_what_the_asker_sees(house: House, secret: dict[str, Any]):
    house.deal(house.ana, value_cents=1_000, expected_close_date="2026-12-01")
    board = f"/api/v1/deals/board?pipeline_id={house.pipeline()}"
    for who, count, total in ((house.ana, 1, 1_000), (house.bruno, 1, 77_777_777), (house.diretora, 2, 77_778_777)):
        for reading in (board, "/api/v1/deals/forecast", "/api/v1/deals/summary"):
            answer = house.get(who, reading)
            assert (answer["count"], answer["total_cents"]) == (count, total), reading
        lines = house.call(who, "GET /api/v1/deals/export").raw.decode().strip().splitlines()
        assert len(lines) == count + 1


@pytest.mark.parametrize("what", ["deals", "companies", "contacts", "deal-activities", "saved-views", "imports"])
def test_a_forbidden_id_answers_exactly_as_a_missing_one(house: House, secret: dict[str, Any], what: str):
    forbidden = house.call(house.ana, f"GET /api/v1/{what}/{secret[what]}")
    missing = house.call(house.ana, f"GET /api/v1/{what}/{uuid7()}")
    assert (forbidden.status, forbidden.raw) == (404, missing.raw)
    assert dict(forbidden.headers) == dict(missing.headers)


def test_no_verb_reaches_a_hidden_row(house: House, secret: dict[str, Any]):
    deal, reason = secret["deals"], str(house.lost_reason())
    reopen = {"reason": "x", "expected_close_date": "2026-12-01"}
    tries = [
        (f"PATCH /api/v1/deals/{deal}", {"title": "x"}),
        (f"DELETE /api/v1/deals/{deal}", None),
        (f"POST /api/v1/deals/{deal}/move", {"stage_id": str(house.stages()["Qualificação"])}),
        (f"POST /api/v1/deals/{deal}/win", {}),
        (f"POST /api/v1/deals/{deal}/lose", {"lost_reason_id": reason}),
        (f"POST /api/v1/deals/{deal}/reopen", reopen),
        (f"GET /api/v1/deals/{deal}/timeline", None),
        (f"GET /api/v1/deals/{deal}/history", None),
        (f"GET /api/v1/companies/{secret['companies']}/timeline", None),
        (f"PATCH /api/v1/companies/{secret['companies']}", {"name": "x"}),
        (f"DELETE /api/v1/companies/{secret['companies']}", None),
        (f"PATCH /api/v1/contacts/{secret['contacts']}", {"name": "x"}),
        (f"DELETE /api/v1/contacts/{secret['contacts']}", None),
        (f"PATCH /api/v1/deal-activities/{secret['deal-activities']}", {"subject": "x"}),
        (f"POST /api/v1/deal-activities/{secret['deal-activities']}/done", {}),
        (f"DELETE /api/v1/deal-activities/{secret['deal-activities']}", None),
        (f"DELETE /api/v1/taggings/{secret['taggings']}", None),
        (f"DELETE /api/v1/saved-views/{secret['saved-views']}", None),
        (f"POST /api/v1/imports/{secret['imports']}/apply", {}),
        (f"GET /api/v1/imports/{secret['imports']}/rows", None),
    ]
    for what, body in tries:
        house.call(house.ana, what, body).refused(404)
    for field, id in (("deal_id", deal), ("company_id", secret["companies"]), ("contact_id", secret["contacts"])):
        house.call(house.ana, "POST /api/v1/taggings", {"tag_id": secret["tag"], field: id}).refused(422)
    note = {"deal_id": deal, "kind": "note", "subject": "x"}
    house.call(house.ana, "POST /api/v1/deal-activities", note).refused(422)
    house.call(house.ana, "POST /api/v1/private-notes", {"deal_id": deal, "subject": "x"}).refused(422)


def test_without_the_handlers_filter_the_database_still_hides_it(house: House, secret: dict[str, Any]):
    del secret
    tables = [
        Deal, Company, Contact, CompanyContact, DealActivity, DealStageHistory, Tagging, SavedView, Import,
        ImportRow, Merge, PrivateNote,
    ]  # fmt: skip
    with house.mesh.db(as_=house.ana) as db:
        for table in tables:
            assert db.scalars(select(table)).all() == [], table.__name__


def test_the_database_refuses_to_write_a_deal_for_somebody_else(house: House):
    deal = house.deal(house.ana)
    give_away = text("update crm.deals set owner_id = :b where id = :d")
    values = {"b": house.bruno.id, "d": deal["id"]}
    with pytest.raises(DBAPIError) as refused, house.mesh.db(as_=house.ana) as db:
        db.execute(give_away, values)
    assert sqlstate(refused.value) == "42501"
    with house.mesh.db(as_=house.bruno) as db:
        assert db.execute(give_away, values).rowcount == 0


def test_an_unassigned_deal_is_seen_by_the_direction_only(house: House):
    deal = house.deal(house.diretora, "Sem dono", owner_id=None)
    assert house.get(house.diretora, f"/api/v1/deals/{deal['id']}")["owner_id"] is None
    assert house.get(house.ana, "/api/v1/deals")["items"] == []
    house.call(house.ana, f"GET /api/v1/deals/{deal['id']}").refused(404)


def test_whoever_holds_the_deal_reaches_the_company_and_person_it_is_about(house: House, secret: dict[str, Any]):
    given = {"owner_id": str(house.ana.id)}
    house.call(house.diretora, f"PATCH /api/v1/deals/{secret['deals']}", given).ok()
    assert house.get(house.ana, f"/api/v1/companies/{secret['companies']}")["name"] == SECRET
    changed = house.call(house.ana, f"PATCH /api/v1/contacts/{secret['contacts']}", {"title": "Diretora"}).ok()
    assert changed["title"] == "Diretora"
    taken = {"owner_id": str(house.ana.id)}
    for what in ("companies", "contacts"):  # seen through the deal, not owned
        house.call(house.ana, f"PATCH /api/v1/{what}/{secret[what]}", taken).refused(403, "reassign-forbidden")
    house.call(house.bruno, f"GET /api/v1/deals/{secret['deals']}").refused(404)
    assert house.get(house.bruno, f"/api/v1/companies/{secret['companies']}")["name"] == SECRET


def test_a_company_with_two_sellers_shows_each_only_their_own_deals(house: House, secret: dict[str, Any]):
    house.call(house.diretora, f"PATCH /api/v1/companies/{secret['companies']}", {"owner_id": str(house.ana.id)}).ok()
    timeline = house.call(house.ana, f"GET /api/v1/companies/{secret['companies']}/timeline")
    assert secret["deals"] not in timeline.text
    assert "77777777" not in timeline.text
    assert house.get(house.ana, f"/api/v1/deals?company_id={secret['companies']}")["items"] == []


def test_a_private_note_is_its_authors_alone(house: House):
    deal = house.deal(house.ana)
    kept = {"deal_id": deal["id"], "kind": "email_received", "subject": "Da minha caixa", "body": "só meu"}
    house.post(house.ana, "/api/v1/private-notes", kept)
    admin = house.mesh.person("Admin")
    for who in (house.diretora, admin):
        assert house.get(who, "/api/v1/private-notes")["items"] == []
        assert "só meu" not in house.call(who, f"GET /api/v1/deals/{deal['id']}/timeline").text
    assert "só meu" in house.call(house.ana, f"GET /api/v1/deals/{deal['id']}/timeline").text
    audit = house.mesh.rows("select changes from mesh.audit where table_name = 'crm.private_notes'")
    assert "só meu" not in str(audit)


def test_a_shared_view_is_read_by_all_and_changed_by_its_owner(house: House):
    view = house.post(
        house.diretora, "/api/v1/saved-views", {"view_of": "deals", "name": "Quentes", "filters": {}, "shared": True}
    )
    path = f"/api/v1/saved-views/{view['id']}"
    assert house.get(house.ana, path)["name"] == "Quentes"
    house.call(house.ana, f"PATCH {path}", {"name": "Meus"}).refused(403, "view-of-another")
    house.call(house.ana, f"DELETE {path}").refused(403, "view-of-another")


def test_a_client_and_a_stranger_see_none_of_the_pipeline(house: House, secret: dict[str, Any]):
    cliente = house.mesh.person("Cliente", client_company_id=uuid7())
    for path in ("deals", f"deals/{secret['deals']}", "companies", "crm/search?q=zebra", "deals/forecast"):
        house.call(cliente, f"GET /api/v1/{path}").refused(403)
        house.mesh.call(f"GET /api/v1/{path}").refused(401)


def test_sellers_do_not_configure_the_house(house: House):
    stage = next(iter(house.stages().values()))
    tries = [
        ("POST /api/v1/pipelines", {"code": "meu", "name": "Meu"}),
        (f"PATCH /api/v1/deal-stages/{stage}", {"probability": 100}),
        (f"DELETE /api/v1/deal-stages/{stage}", None),
        ("POST /api/v1/lost-reasons", {"name": "Preguiça"}),
        (
            "POST /api/v1/handovers",
            {"from_user_id": str(house.ana.id), "to_user_id": str(house.bruno.id), "reason": "x"},
        ),
    ]
    for what, body in tries:
        house.call(house.ana, what, body).refused(403)
