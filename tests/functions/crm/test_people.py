"""Companies and contacts: keys normalised, twins noticed, two records merged into one."""

from typing import Any

from somos.mesh.tables import Root
from somos.migrations import load_tables
from tests.functions.crm.conftest import CNPJ, OTHER_CNPJ, House


def test_addresses_are_kept_normalised(house: House):
    company = house.company(
        house.ana, document="11.222.333/0001-81", domain="https://www.lumen.com.br/contato", phone="(11) 3222-3344",
        email="OI@lumen.com.br", uf="são paulo",
    )  # fmt: skip
    assert (company["document"], company["domain"]) == (CNPJ, "lumen.com.br")
    assert (company["phone"], company["email"], company["uf"]) == ("+551132223344", "oi@lumen.com.br", "SP")


def test_a_wrong_document_is_refused_with_a_sentence(house: House):
    body = {"name": "Errada", "document": "11.222.333/0001-80"}
    problem = house.call(house.ana, "POST /api/v1/companies", body).refused(422)
    assert problem["errors"] == [{"field": "document", "detail": "CNPJ ou CPF inválido"}]


def test_one_live_company_per_document(house: House):
    mine = house.company(house.ana, document=CNPJ)
    body = {"name": "De novo", "document": CNPJ}
    assert house.call(house.ana, "POST /api/v1/companies", body).refused(409, "company-exists")["fresh"] == mine
    hidden = house.call(house.bruno, "POST /api/v1/companies", body).refused(409, "company-elsewhere")
    assert "fresh" not in hidden
    assert mine["id"] not in str(hidden)
    other = house.company(house.bruno, "Outra")
    path = f"PATCH /api/v1/companies/{other['id']}"
    house.call(house.bruno, path, {"document": CNPJ}).refused(409, "company-elsewhere")


def test_a_person_has_several_roles_in_several_companies(house: House):
    one, two, carla = house.company(house.ana, "Um"), house.company(house.ana, "Dois"), house.contact(house.ana)
    for company, role in ((one, "decide"), (one, "paga"), (two, "juridico")):
        link = {"company_id": company["id"], "contact_id": carla["id"], "role": role}
        house.post(house.ana, "/api/v1/company-contacts", link)
        house.call(house.ana, "POST /api/v1/company-contacts", link).refused(409, "role-exists")
    links = house.get(house.ana, f"/api/v1/company-contacts?contact_id={carla['id']}")["items"]
    assert sorted(link["role"] for link in links) == ["decide", "juridico", "paga"]
    people = house.get(house.ana, f"/api/v1/contacts?company_id={one['id']}&role=paga")["items"]
    assert [person["name"] for person in people] == ["Carla"]
    house.call(house.ana, f"DELETE /api/v1/company-contacts/{links[0]['id']}").ok()


def test_twins_are_shown_while_typing_surest_first(house: House):
    exact = house.company(house.ana, "Lumen Filmes", domain="lumen.com.br", city="São Paulo")
    alike = house.company(house.ana, "Lúmen Filme Ltda", city="São Paulo")
    house.company(house.ana, "Farol Filmes")
    asked = {"kind": "company", "name": "LUMEN FILMES", "domain": "www.lumen.com.br", "city": "sao paulo"}
    twins = house.post(house.ana, "/api/v1/duplicates", asked)["twins"]
    assert [(twin["id"], twin["kind"]) for twin in twins] == [(exact["id"], "exact"), (alike["id"], "similar")]
    assert (
        house.post(house.ana, "/api/v1/duplicates", {**asked, "ignore_id": exact["id"]})["twins"][0]["id"]
        == alike["id"]
    )


def test_a_contacts_twin_is_found_by_phone_with_or_without_the_ninth_digit(house: House):
    known = house.contact(house.ana, "Carla", phone="11 98765-4321")
    asked = {"kind": "contact", "name": "C.", "phone": "11 8765-4321"}
    assert house.post(house.ana, "/api/v1/duplicates", asked)["twins"][0]["id"] == known["id"]


def test_of_another_portfolio_only_the_document_is_told_and_no_more(house: House):
    house.company(house.bruno, "Zebra", document=CNPJ, domain="zebra.com.br", phone="11 3222-3344")
    asked = {"kind": "company", "name": "Zebra", "domain": "zebra.com.br", "phone": "11 3222-3344"}
    assert house.post(house.ana, "/api/v1/duplicates", asked) == {"twins": [], "elsewhere": False}
    asked["document"] = CNPJ
    assert house.post(house.ana, "/api/v1/duplicates", asked) == {"twins": [], "elsewhere": True}


def merge(house: House, who: Any, survivor: Any, absorbed: Any, **choices: str) -> Any:
    body = {"kind": "company", "survivor_id": survivor["id"], "absorbed_id": absorbed["id"], "choices": choices}
    return house.call(who, "POST /api/v1/merges", body)


def test_everything_that_points_at_a_company_or_a_contact_is_moved_by_a_merge() -> None:
    load_tables()
    pointing = {
        str(table)
        for table in Root.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.fullname in ("crm.companies", "crm.contacts") and key.parent.name != "merged_into_id"
    }
    new = pointing - {"crm.deals", "crm.company_contacts", "crm.taggings"}
    assert not new, f"move {sorted(new)} in `_repoint` of crm/actions/merges.py, then name it here"


def test_a_merge_keeps_the_chosen_fields_and_everything_that_hung_on_both(house: House):
    keep = house.company(house.ana, "Lumen", document=CNPJ, city="São Paulo")
    gone = house.company(house.ana, "Lúmen Produções", document=OTHER_CNPJ, domain="lumen.com.br")
    tag = house.post(house.ana, "/api/v1/tags", {"name": "Agência"})
    carla = house.contact(house.ana)
    deals = [house.deal(house.ana, f"Filme {c['name']}", company_id=c["id"]) for c in (keep, gone)]
    for company in (keep, gone):
        link = {"company_id": company["id"], "contact_id": carla["id"], "role": "decide"}
        house.post(house.ana, "/api/v1/company-contacts", link)
        house.post(house.ana, "/api/v1/taggings", {"tag_id": tag["id"], "company_id": company["id"]})
    record = merge(house, house.ana, keep, gone, name="absorbed", document="absorbed").ok()
    assert record["moved"] == {"deals": 1, "links": 0, "tags": 0}

    merged = house.get(house.ana, f"/api/v1/companies/{keep['id']}")
    assert (merged["name"], merged["document"]) == ("Lúmen Produções", OTHER_CNPJ)
    assert (merged["domain"], merged["city"]) == ("lumen.com.br", "São Paulo")
    assert {house.get(house.ana, f"/api/v1/deals/{d['id']}")["company_id"] for d in deals} == {keep["id"]}
    assert len(house.get(house.ana, f"/api/v1/company-contacts?company_id={keep['id']}")["items"]) == 1
    assert [c["id"] for c in house.get(house.ana, "/api/v1/companies")["items"]] == [keep["id"]]
    absorbed = house.get(house.ana, f"/api/v1/companies/{gone['id']}")
    assert absorbed["merged_into_id"] == keep["id"]
    house.call(house.ana, f"PATCH /api/v1/companies/{gone['id']}", {"name": "x"}).refused(409, "merged")
    merge(house, house.ana, keep, gone).refused(409, "merged")


def test_deals_of_other_sellers_follow_a_merge_made_by_the_direction(house: House):
    keep, gone = house.company(house.ana, "Lumen"), house.company(house.bruno, "Lúmen")
    deal = house.deal(house.bruno, company_id=gone["id"])
    merge(house, house.ana, keep, gone).refused(404)
    merge(house, house.diretora, keep, gone).ok()
    assert house.get(house.bruno, f"/api/v1/deals/{deal['id']}")["company_id"] == keep["id"]
    assert house.get(house.bruno, f"/api/v1/companies/{keep['id']}")["name"] == "Lumen"


def test_two_contacts_become_one(house: House):
    keep = house.contact(house.ana, "Carla", email="carla@lumen.com.br")
    gone = house.contact(house.ana, "Carla Souza", phone="11 98765-4321")
    deal = house.deal(house.ana, contact_id=gone["id"])
    body = {"kind": "contact", "survivor_id": keep["id"], "absorbed_id": gone["id"]}
    house.post(house.ana, "/api/v1/merges", body)
    merged = house.get(house.ana, f"/api/v1/contacts/{keep['id']}")
    assert (merged["name"], merged["email"], merged["phone"]) == ("Carla", "carla@lumen.com.br", "+5511987654321")
    assert house.get(house.ana, f"/api/v1/deals/{deal['id']}")["contact_id"] == keep["id"]


def test_a_record_is_not_merged_with_itself_nor_by_unknown_fields(house: House):
    one, two = house.company(house.ana, "Um"), house.company(house.ana, "Dois")
    merge(house, house.ana, one, one).refused(422)
    merge(house, house.ana, one, two, id="absorbed").refused(422)


def test_a_company_in_use_is_not_deleted(house: House):
    company, contact = house.company(house.ana), house.contact(house.ana)
    house.deal(house.ana, company_id=company["id"], contact_id=contact["id"])
    house.call(house.ana, f"DELETE /api/v1/companies/{company['id']}").refused(409, "company-in-use")
    house.call(house.ana, f"DELETE /api/v1/contacts/{contact['id']}").refused(409, "contact-in-use")
    free = house.company(house.ana, "Livre")
    assert house.call(house.ana, f"DELETE /api/v1/companies/{free['id']}").status == 204
