"""A campaign drafts one message per lead that may be written to, and each waits for a person."""

import pytest

from somos.modules.sdr.actions.campaigns import AT_ONCE
from tests.functions.sdr.conftest import Desk


def test_a_campaign_drafts_one_message_per_lead_and_reports_its_task(desk: Desk):
    one, other = desk.lead(), desk.lead(phone="+5511955550102", email="bia@farol-exemplo.com.br")
    campaign = desk.campaign(one, other)
    messages = desk.messages(campaign_id=campaign)
    assert {m["lead_id"] for m in messages} == {one, other}
    assert {m["state"] for m in messages} == {"awaiting_approval"}
    task = desk.mesh.rows("select * from agents.tasks where subject_id = :id", id=campaign)[0]
    assert task["state"] == "succeeded"
    assert task["result"] == {"campaign_id": campaign, "leads": 2, "drafted": 2, "refused": 0}


def test_a_draft_stands_beside_its_evidence_and_names_the_model(desk: Desk):
    lead = desk.lead()
    desk.sql(
        "insert into hunter.lead_sources (id, lead_id, field, value, source, method, url, seen_at, rank, late) "
        "values (gen_random_uuid(), :lead, 'texto', 'Criamos campanhas para marcas de varejo.', 'site', 'text', "
        "'http://horizonte-exemplo.com.br/', :seen, 1, false)",
        lead=lead,
        seen=desk.mesh.time,
    )
    message = desk.draft(lead)
    assert "Criamos campanhas para marcas de varejo." in str(message["evidence"])
    assert message["model"]
    assert message["author"] == "agent"
    assert message["warnings"] == []
    assert message["text_hash"]


def test_nothing_leaves_while_a_message_waits_for_a_person(desk: Desk):
    desk.draft()
    desk.mesh.advance(hours=1)
    desk.mesh.drain()
    assert desk.left() == []


def test_a_whatsapp_draft_says_how_to_be_left_alone(desk: Desk):
    assert "PARAR" in desk.draft()["text"]


def test_an_email_draft_has_a_subject_and_the_link_to_leave(desk: Desk):
    message = desk.draft(channel="email")
    assert message["subject"]
    assert "/api/v1/unsubscribe/" in message["text"]


def refusals(desk: Desk, *leads: str, channel: str = "whatsapp") -> list[str]:
    campaign = desk.campaign(*leads, channel=channel)
    return [r["reason"] for r in desk.get(f"outreach-campaigns/{campaign}")["refusals"]]


def test_a_lead_without_an_address_on_the_channel_is_refused_with_its_reason(desk: Desk):
    assert refusals(desk, desk.lead(phone=None)) == ["O lead não tem telefone válido."]
    assert refusals(desk, desk.lead(phone=None, email=None), channel="email") == ["O lead não tem e-mail válido."]


@pytest.mark.parametrize("state", ["scored", "rejected_campaign", "not_interested", "blocked"])
def test_a_lead_that_is_not_qualified_is_refused(desk: Desk, state: str):
    assert len(refusals(desk, desk.lead(state=state))) == 1


def test_a_suppressed_person_is_never_enrolled(desk: Desk):
    desk.post("suppressions", {"phone": "(11) 95555-0101", "reason": "pediu por telefone"})
    assert refusals(desk, desk.lead()) == ["A pessoa não deve mais receber mensagens."]


def test_a_client_and_who_has_an_open_deal_are_never_enrolled(desk: Desk):
    company = desk.post("companies", {"name": "Horizonte", "domain": "horizonte-exemplo.com.br"})
    desk.post("deals", {"title": "Filme", "company_id": company["id"]})
    desk.mesh.drain()
    assert refusals(desk, desk.lead(domain="horizonte-exemplo.com.br")) == ["A empresa já tem um negócio em andamento."]


def test_a_person_is_in_one_cadence_at_a_time_also_under_another_lead(desk: Desk):
    desk.draft(desk.lead(phone="+5511987654321"))
    twin = desk.lead(phone="11 8765-4321", email=None)
    assert refusals(desk, twin) == ["A pessoa já está em uma cadência."]


def test_the_same_lead_twice_in_one_request_is_one_draft(desk: Desk):
    lead = desk.lead()
    assert len(desk.messages(campaign_id=desk.campaign(lead, lead))) == 1


def test_unknown_leads_channels_without_sender_and_drafts_of_cadences_are_refused(desk: Desk):
    nobody = "00000000-0000-7000-8000-000000000000"
    desk.call("POST /api/v1/sdr/campaign", {"lead_ids": [nobody], "channel": "whatsapp"}).refused(422)
    start = {"lead_ids": [desk.lead()], "channel": "linkedin"}
    desk.call("POST /api/v1/sdr/campaign", start).refused(422)
    cadence = desk.post("cadences", {"name": "c", "steps": [step(1)]})
    start = {"lead_ids": start["lead_ids"], "channel": "whatsapp", "cadence_id": cadence["id"]}
    desk.call("POST /api/v1/sdr/campaign", start).refused(422)


def step(no: int, channel: str = "whatsapp", **more: object) -> dict[str, object]:
    return {"step_no": no, "channel": channel, "instruction": "Apresente a produtora.", **more}


def test_the_agent_drafts_again_and_again_without_a_second_draft(desk: Desk):
    desk.mesh.twice = True
    message = desk.draft()
    assert len(desk.messages()) == 1
    assert desk.one("select count(*) from sdr.approvals") == 1
    assert message["state"] == "awaiting_approval"


def test_a_stopped_agent_writes_no_draft_until_it_is_let_go(desk: Desk):
    switch = desk.post("kill-switches", {"scope": "agent:sdr", "reason": "texto estranho"})
    campaign = desk.campaign(desk.lead())
    assert desk.messages(campaign_id=campaign)[0]["state"] == "drafted"
    desk.post(f"kill-switches/{switch['id']}/off")
    desk.mesh.advance(minutes=11)
    desk.mesh.drain()
    assert desk.messages(campaign_id=campaign)[0]["state"] == "awaiting_approval"


def test_a_model_that_refuses_ends_the_draft_with_its_reason(desk: Desk):
    body = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": "content_filter"}}
    desk.outside.post("faults", provider="openai", kind="status", status=400, body=body, times=9)
    campaign = desk.campaign(desk.lead())
    told = desk.get(f"outreach-campaigns/{campaign}")
    assert [r["reason"] for r in told["refusals"]] == ["O modelo não quis escrever esta mensagem."]
    assert desk.messages(campaign_id=campaign)[0]["state"] == "cancelled"
    assert desk.one("select state from agents.tasks") == "succeeded"


def test_a_campaign_of_more_leads_than_one_step_looks_at_drafts_them_all_once(desk: Desk):
    leads = [desk.lead(phone=None, email=f"p{n}@empresa{n}-exemplo.com.br") for n in range(AT_ONCE + 3)]
    campaign = desk.campaign(*leads, channel="email")
    drafted = desk.mesh.rows(
        "select lead_id, count(*) as times from sdr.outreach_messages where campaign_id = :id group by 1", id=campaign
    )
    assert {str(row.lead_id) for row in drafted} == set(leads)
    assert {row.times for row in drafted} == {1}
    task = desk.mesh.rows("select state, result from agents.tasks where subject_id = :id", id=campaign)
    assert [(row.state, row.result["drafted"]) for row in task] == [("succeeded", AT_ONCE + 3)]
