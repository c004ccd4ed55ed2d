"""Leads are read, corrected and decided by the people who may, and refused ones never leave."""

import csv
import io
from datetime import timedelta

import pytest

from somos.kernel.keys import PersonKeys
from somos.mesh import clock
from somos.mesh.clock import day_of
from tests.functions.hunter.conftest import Hunt


def decide(hunt: Hunt, lead, what: str, who=None, **body):
    return hunt.call(who or hunt.diretora, f"POST /api/v1/leads/{lead['id']}/{what}", body)


def exported(hunt: Hunt, query: str = "") -> list[dict[str, str]]:
    answer = hunt.call(hunt.diretora, f"GET /api/v1/leads/export{query}")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.raw.decode("utf-8-sig")), delimiter=";"))


def test_leads_are_filtered_by_state_score_place_and_words(hunt: Hunt):
    icp = hunt.icp()
    rows = "Lúmen;(11) 95555-0198;São Paulo;SP;80\nFarol;(81) 95555-0197;Recife;PE;80\n"
    hunt.imported(icp, f"Empresa;Celular;Cidade;UF;Funcionários\n{rows}").ok()
    hunt.mesh.drain()
    assert [lead["company_name"] for lead in hunt.leads("q=lumen")] == ["Lúmen"]
    assert [lead["company_name"] for lead in hunt.leads("q=reci")] == ["Farol"]
    assert [lead["company_name"] for lead in hunt.leads("uf=pe")] == ["Farol"]
    assert [lead["company_name"] for lead in hunt.leads("city=sao+paulo")] == ["Lúmen"]
    assert hunt.leads("state=qualified") == []
    assert {lead["company_name"] for lead in hunt.leads("score_to=69")} == {"Lúmen", "Farol"}
    hunt.call(hunt.diretora, "GET /api/v1/leads?colour=blue").refused(422)


def test_sales_reads_leads_and_clients_see_none(hunt: Hunt):
    lead = hunt.one_lead()
    assert hunt.call(hunt.comercial, f"GET /api/v1/leads/{lead['id']}").ok()["id"] == lead["id"]
    client = hunt.mesh.person("Cliente", client_company_id=hunt.diretora.id)
    hunt.call(client, "GET /api/v1/leads").refused(403)
    with hunt.mesh.db(client) as db:
        from somos.modules.hunter.tables.lead_sources import LeadSource
        from somos.modules.hunter.tables.leads import Lead

        assert db.query(Lead).count() == db.query(LeadSource).count() == 0


def test_a_person_corrects_a_lead_and_the_other_sources_stay_beside_it(hunt: Hunt):
    lead = hunt.one_lead()
    changed = hunt.call(
        hunt.diretora, f"PATCH /api/v1/leads/{lead['id']}", {"phone": "(11) 95555-0177", "contact_name": "Lia"}
    ).ok()
    assert (changed["phone"], changed["contact_name"]) == ("+5511955550177", "Lia")
    phones = {
        source["value"]: (source["source"], source["wins"])
        for source in changed["sources"]
        if source["field"] == "phone"
    }
    assert phones == {"+5511955550199": ("csv", False), "+5511955550177": ("person", True)}
    hunt.call(hunt.comercial, f"PATCH /api/v1/leads/{lead['id']}", {"phone": "(11) 95555-0178"}).refused(403)
    hunt.call(hunt.diretora, f"PATCH /api/v1/leads/{lead['id']}", {"phone": "123"}).refused(422)


def test_a_correction_never_takes_another_leads_key(hunt: Hunt):
    icp = hunt.icp()
    first = hunt.one_lead(icp)
    second = hunt.one_lead(icp, "Farol;(11) 95555-0188;farol.teste@gmail.com;São Paulo;SP")
    answer = hunt.call(hunt.diretora, f"PATCH /api/v1/leads/{second['id']}", {"email": "lumen.teste@gmail.com"})
    assert answer.refused(409, "lead-exists")["fresh"]["lead_id"] == first["id"]


def test_a_lead_is_given_to_somebody_with_an_account(hunt: Hunt):
    lead = hunt.one_lead()
    path = f"PATCH /api/v1/leads/{lead['id']}"
    assert hunt.call(hunt.diretora, path, {"owner_id": str(hunt.comercial.id)}).ok()["owner_id"] == str(
        hunt.comercial.id
    )
    hunt.call(hunt.diretora, path, {"owner_id": lead["id"]}).refused(422)


def test_a_refused_lead_is_accepted_by_a_person_only_with_a_reason_and_the_decision_is_kept(hunt: Hunt):
    lead = hunt.one_lead()
    assert lead["state"] == "rejected_campaign"
    assert decide(hunt, lead, "accept").refused(409, "lead-state")["fresh"]["state"] == "rejected_campaign"
    accepted = decide(hunt, lead, "accept", reason="Conheço o dono, fazem vídeos").ok()
    assert accepted["state"] == "qualified"
    assert [(label["decision"], label["decided_by"]) for label in accepted["labels"]] == [
        ("accepted", str(hunt.diretora.id))
    ]
    assert accepted["score"] == lead["score"]


def test_not_for_this_campaign_and_never_again_are_two_refusals_and_neither_is_exported(hunt: Hunt):
    icp = hunt.icp()
    leads = [
        hunt.one_lead(icp, f"Empresa {n};(11) 95555-01{n};empresa{n}@gmail.com;São Paulo;SP") for n in (51, 52, 53)
    ]
    for lead in leads:
        decide(hunt, lead, "accept", reason="Serve, sim").ok()
    assert {row["Empresa"] for row in exported(hunt)} == {"Empresa 51", "Empresa 52", "Empresa 53"}
    assert decide(hunt, leads[0], "reject", reason="Pequena demais").ok()["state"] == "rejected_campaign"
    assert decide(hunt, leads[1], "never-contact", reason="Pediu por telefone").ok()["state"] == "blocked"
    assert {row["Empresa"] for row in exported(hunt)} == {"Empresa 53"}
    assert exported(hunt, "?state=blocked") == []
    decide(hunt, leads[0], "accept", reason="Cresceu").ok()
    decide(hunt, leads[1], "accept", reason="Mudou de ideia").refused(409, "lead-state")
    decide(hunt, leads[1], "reject", reason="Tanto faz").refused(409, "lead-state")


@pytest.mark.any_day
def test_the_export_carries_score_and_reason_and_counts_as_a_table(hunt: Hunt):
    lead = hunt.one_lead()
    decide(hunt, lead, "accept", reason="Serve, sim").ok()
    (row,) = exported(hunt)
    assert row["Nota"] == str(lead["score"])
    assert row["Motivo"] == lead["reason"]
    assert row["Guardar até"] == str(clock.today() + timedelta(days=180))
    hubspot = hunt.call(hunt.diretora, "GET /api/v1/leads/export?layout=hubspot").raw.decode()
    assert hubspot.startswith("Company name,Company domain name,First name")


def test_only_people_decide_and_each_only_what_is_theirs(hunt: Hunt):
    lead = hunt.one_lead()
    wanted = {"name": "Robô", "scopes": ["hunter:read", "hunter:write"], "days": 30}
    key = hunt.call(hunt.admin, "POST /api/v1/api-keys", wanted).ok()["secret"]
    assert hunt.mesh.call("GET /api/v1/leads", as_=key).ok()["items"]
    for what in ("accept", "reject", "never-contact", "erase"):
        hunt.mesh.call(f"POST /api/v1/leads/{lead['id']}/{what}", {"reason": "Porque sim"}, as_=key).refused(403)
    for what in ("accept", "reject", "erase"):
        decide(hunt, lead, what, hunt.comercial, reason="Porque sim").refused(403)
    # Somebody who was asked on the phone to leave a company alone may say so, whatever their role in sales.
    blocked = decide(hunt, lead, "never-contact", hunt.comercial, reason="Pediu por telefone").ok()
    assert (blocked["state"], blocked["refusal"]) == ("blocked", "Pediu por telefone")


def test_a_lead_blocked_or_erased_has_no_way_back(hunt: Hunt):
    lead = hunt.one_lead()
    decide(hunt, lead, "never-contact", reason="Pediu por telefone").ok()
    hunt.call(hunt.diretora, f"PATCH /api/v1/leads/{lead['id']}", {"contact_name": "Lia"}).refused(409)
    erased = decide(hunt, lead, "erase", reason="Pedido do titular").ok()
    assert erased["state"] == "erased"
    for what in ("accept", "reject", "never-contact", "erase"):
        decide(hunt, lead, what, reason="De novo").refused(409)


def test_erasing_forgets_who_it_was_and_never_takes_it_in_again(hunt: Hunt):
    icp = hunt.icp()
    lead = hunt.one_lead(icp)
    erased = decide(hunt, lead, "erase", reason="Pedido do titular").ok()
    assert erased["sources"] == []
    assert erased["score_detail"] is None
    assert (erased["lgpd"]["erased_why"], erased["company_name"], erased["phone"]) == ("request", None, None)
    everything = hunt.mesh.one(
        "select (select coalesce(string_agg(l::text, ' '), '') from hunter.leads l) || "
        "(select coalesce(string_agg(s::text, ' '), '') from hunter.lead_sources s) || "
        "(select coalesce(string_agg(k::text, ' '), '') from hunter.lead_keys k)"
    )
    assert "5511955550199" not in everything
    assert "lumen.teste" not in everything
    report = hunt.imported(icp, "Empresa;Celular\nOutro nome;11 95555-0199\n").ok()
    assert (report["accepted"], len(report["rejected"])) == (0, 1)
    assert len(hunt.leads()) == 1


def test_an_erasure_is_stated_for_the_lead_and_for_its_twins(hunt: Hunt):
    lead = hunt.one_lead()
    twin = hunt.mesh.one(
        "insert into hunter.leads (id, state, source, icp_id, icp_number, legal_basis, collected_at, retain_until, "
        "duplicate_of, name_words, held, version) select gen_random_uuid(), 'duplicate', source, icp_id, icp_number, "
        "legal_basis, collected_at, retain_until, id, '{}', false, 1 from hunter.leads where id = :id returning id",
        id=lead["id"],
    )
    decide(hunt, lead, "erase", reason="Pedido do titular").ok()
    stated = hunt.mesh.rows("select data from mesh.outbox where type = 'hunter.lead_erased'")
    assert sorted((row["data"]["lead_id"], row["data"]["why"]) for row in stated) == sorted(
        [(lead["id"], "request"), (str(twin), "request")]
    )


def test_a_company_we_already_sold_to_is_marked_and_nobody_is_paid_to_judge_it(
    hunt: Hunt, monkeypatch: pytest.MonkeyPatch
):
    from somos.modules.relations.queries import parties

    monkeypatch.setattr(parties, "relationship", lambda db, keys: "client")
    lead = hunt.one_lead()
    assert (lead["state"], lead["relationship"], lead["refusal"]) == ("rejected_campaign", "client", "Já é cliente.")
    assert hunt.calls("openai") == 0
    decide(hunt, lead, "accept", reason="Quero mesmo assim").refused(409, "lead-not-contactable")


@pytest.mark.any_day
def test_a_person_we_wrote_to_lately_is_marked_and_kept_out(hunt: Hunt, monkeypatch: pytest.MonkeyPatch):
    from somos.modules.relations.queries import addresses

    last = hunt.mesh.time - timedelta(days=20)
    asked: list[PersonKeys] = []
    person = addresses.Person(suppressed=False, last_contact_at=last)
    monkeypatch.setattr(addresses, "person_of", lambda db, keys: asked.append(keys) or person)
    lead = hunt.one_lead()
    assert (lead["state"], lead["refusal"]) == (
        "rejected_campaign",
        f"Foi contatada em {day_of(last):%d/%m/%Y}, há menos de 30 dias.",
    )
    assert lead["last_contact_at"] is not None
    assert asked[0] == PersonKeys("+5511955550199", "lumen.teste@gmail.com")


def test_a_suppressed_person_becomes_a_blocked_lead_without_asking_anybody(hunt: Hunt, monkeypatch: pytest.MonkeyPatch):
    from somos.modules.relations.queries import addresses

    icp = hunt.icp()
    hunt.imported(icp, "Empresa;Celular\nLúmen;11 95555-0199\n").ok()
    person = addresses.Person(suppressed=True, last_contact_at=None)
    monkeypatch.setattr(addresses, "person_of", lambda db, keys: person)
    hunt.mesh.drain()
    (lead,) = hunt.leads()
    assert lead["state"] == "blocked"
    assert hunt.calls("openai") == 0
    assert hunt.sessions(icp)[0]["blocked"] == 1
