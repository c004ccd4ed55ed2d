"""Cadences go on by themselves as far as drafting; every message still waits for a person."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from somos.mesh.clock import SAO_PAULO
from tests.functions.sdr.conftest import Desk


def step(no: int, channel: str = "whatsapp", wait: int = 24, **more: Any) -> dict[str, Any]:
    return {"step_no": no, "channel": channel, "wait_hours": wait, "instruction": f"Passo {no}.", **more}


def cadence(desk: Desk, *steps: dict[str, Any]) -> str:
    """A published cadence."""
    made = desk.post("cadences", {"name": "Três toques", "steps": list(steps)})
    desk.post(f"cadences/{made['id']}/publish")
    return str(made["id"])


def enrolled(desk: Desk, *steps: dict[str, Any]) -> Any:
    """The first message of a cadence, sent."""
    return desk.sent(cadence_id=cadence(desk, *steps))


def follow_ups(desk: Desk) -> list[Any]:
    return [m for m in desk.messages() if m["kind"] != "first_contact"]


def wait(desk: Desk, **by: float) -> None:
    desk.mesh.time += timedelta(**by)
    desk.mesh.drain()


@pytest.mark.any_day
def test_the_next_step_is_drafted_after_its_wait_and_waits_for_approval(desk: Desk):
    first = enrolled(desk, step(1, wait=0), step(2, "email", wait=48))
    assert desk.enrolment(first)["state"] == "waiting"
    wait(desk, hours=47)
    assert follow_ups(desk) == []
    wait(desk, hours=2)
    drafted = follow_ups(desk)
    assert [(m["channel"], m["state"], m["kind"]) for m in drafted] == [("email", "awaiting_approval", "follow_up")]
    desk.approve(drafted[0])
    desk.mesh.drain()
    assert desk.enrolment(first)["state"] == "finished"
    assert [m["channel"] for m in desk.left()] == ["whatsapp", "email"]


def test_no_step_runs_twice_when_everything_is_delivered_twice(desk: Desk):
    desk.mesh.twice = True
    enrolled(desk, step(1, wait=0), step(2, "email"))
    wait(desk, hours=25)
    assert len(follow_ups(desk)) == 1


def test_a_campaign_without_a_cadence_is_one_message(desk: Desk):
    message = desk.sent()
    assert desk.enrolment(message)["state"] == "finished"


def test_a_reply_ends_the_cadence(desk: Desk):
    first = enrolled(desk, step(1, wait=0), step(2, "email"))
    desk.hears("Agradeço, mas não temos interesse.")
    wait(desk, hours=100)
    assert desk.enrolment(first)["state"] == "stopped_reply"
    assert follow_ups(desk) == []


def test_an_automatic_answer_does_not_end_the_cadence(desk: Desk):
    enrolled(desk, step(1, wait=0), step(2, "email"))
    desk.hears("Resposta automática: fora do escritório")
    wait(desk, hours=25)
    assert len(follow_ups(desk)) == 1


def test_the_next_step_waits_for_who_is_away(desk: Desk):
    first = enrolled(desk, step(1, wait=0), step(2, "email"))
    desk.hears("Resposta automática: estou de férias e volto dia 20/03.")
    last = date.fromisoformat(desk.get("responses")["items"][0]["later_date"])
    back = datetime.combine(last + timedelta(days=1), time(), SAO_PAULO)
    assert desk.enrolment(first)["due_at"] == back
    wait(desk, hours=25)
    assert follow_ups(desk) == []
    desk.mesh.time = back
    desk.mesh.drain()
    assert len(follow_ups(desk)) == 1


def test_a_step_waits_while_an_answer_is_unclear(desk: Desk):
    enrolled(desk, step(1, wait=0), step(2, "email"))
    desk.hears("👍")
    wait(desk, hours=25)
    assert follow_ups(desk) == []
    heard = desk.get("responses")["items"][0]
    desk.post(f"responses/{heard['id']}/classify", {"label": "automatic"})
    wait(desk, hours=1)
    assert len(follow_ups(desk)) == 1


@pytest.mark.any_day
@pytest.mark.parametrize(("opened", "channel"), [(True, "whatsapp"), (False, "email")])
def test_a_branch_follows_whether_it_was_opened(desk: Desk, opened: bool, channel: str):
    plan = (step(1, wait=0), step(2, "whatsapp", condition="opened", else_step=3), step(3, "email"))
    enrolled(desk, *plan)
    if opened:
        desk.evolution("messages.update", {"keyId": desk.left()[0]["id"], "fromMe": True, "status": "READ"})
        desk.mesh.drain()
    wait(desk, hours=25)
    assert [m["channel"] for m in follow_ups(desk)] == [channel]


def test_a_bounce_leads_to_a_draft_on_the_other_channel_that_asks_again(desk: Desk):
    plan = (step(1, "email", wait=0), step(2, "email"), step(3, "whatsapp", condition="bounced"))
    desk.sent(channel="email", cadence_id=cadence(desk, *plan))
    mail = desk.left("email")[0]
    desk.resend("email.bounced", {"email_id": mail["id"], "bounce": {"type": "Permanent"}})
    desk.mesh.drain()
    other = follow_ups(desk)
    assert [(m["channel"], m["kind"], m["state"]) for m in other] == [
        ("whatsapp", "second_channel", "awaiting_approval")
    ]
    desk.approve(other[0])
    desk.mesh.drain()
    assert len(desk.left("whatsapp")) == 1
    wait(desk, hours=100)
    assert len(follow_ups(desk)) == 1


def test_a_reply_may_have_its_own_step_which_only_drafts_an_answer(desk: Desk):
    plan = (step(1, wait=0), step(2, "whatsapp"), step(3, "whatsapp", condition="replied"))
    enrolled(desk, *plan)
    desk.mesh.advance(minutes=1)
    desk.hears("Quanto custa um vídeo institucional?")
    answers = follow_ups(desk)
    assert [(m["kind"], m["state"]) for m in answers] == [("reply", "awaiting_approval")]
    assert len(desk.left()) == 1
    desk.mesh.advance(minutes=1)
    desk.approve(answers[0])
    desk.mesh.drain()
    assert len(desk.left()) == 2


def test_publishing_freezes_a_version_and_who_is_enrolled_stays_on_it(desk: Desk):
    id = cadence(desk, step(1, wait=0), step(2, "email", wait=24))
    desk.sent(cadence_id=id)
    desk.call(f"PATCH /api/v1/cadences/{id}", {"steps": [step(1, wait=0)]}).ok()
    published = desk.post(f"cadences/{id}/publish")
    assert [(v["version_no"], len(v["steps"])) for v in published["versions"]] == [(0, 1), (1, 2), (2, 1)]
    wait(desk, hours=25)
    assert len(follow_ups(desk)) == 1


@pytest.mark.parametrize(
    "steps",
    [
        [step(2)],
        [step(1, condition="opened")],
        [step(1), step(2, condition="opened", else_step=2)],
    ],
)
def test_a_cadence_that_cannot_work_is_not_published(desk: Desk, steps: list[dict[str, Any]]):
    made = desk.post("cadences", {"name": "c", "steps": steps})
    desk.call(f"POST /api/v1/cadences/{made['id']}/publish", {}).refused(422)


def test_an_agent_key_may_write_a_cadence_and_not_publish_it(desk: Desk):
    admin = desk.mesh.person("Admin")
    key = desk.call("POST /api/v1/api-keys", {"name": "n8n", "scopes": ["sdr:write"]}, as_=admin).ok()["secret"]
    made = desk.mesh.call("POST /api/v1/cadences", {"name": "c", "steps": [step(1)]}, as_=key).ok()
    desk.mesh.call(f"POST /api/v1/cadences/{made['id']}/publish", {}, as_=key).refused(403)


def test_a_paused_campaign_pauses_its_steps_until_it_is_resumed(desk: Desk):
    first = enrolled(desk, step(1, wait=0), step(2, "email"))
    desk.post(f"outreach-campaigns/{first['campaign_id']}/pause", {"reason": "feriado"})
    wait(desk, hours=25)
    assert desk.enrolment(first)["state"] == "paused"
    desk.post(f"outreach-campaigns/{first['campaign_id']}/resume")
    desk.mesh.drain()
    assert len(follow_ups(desk)) == 1


def test_a_person_takes_somebody_out_of_a_cadence(desk: Desk):
    message = desk.draft()
    id = message["enrolment_id"]
    stopped = desk.post(f"enrolments/{id}/stop", {"reason": "conheço a dona"})
    assert stopped["state"] == "stopped_manual"
    assert desk.message(message["id"])["state"] == "cancelled"
    desk.call(f"POST /api/v1/enrolments/{id}/stop", {"reason": "de novo"}).refused(409)


def test_a_step_that_cannot_reach_the_person_ends_the_cadence_with_its_reason(desk: Desk):
    lead = desk.lead(email=None)
    first = desk.sent(lead, cadence_id=cadence(desk, step(1, wait=0), step(2, "email")))
    wait(desk, hours=25)
    enrolment = desk.enrolment(first)
    assert (enrolment["state"], enrolment["stopped_reason"]) == (
        "stopped_manual",
        "O passo 2 não tem como alcançar a pessoa.",
    )


def test_a_deal_opened_with_the_lead_ends_its_cadence(desk: Desk):
    lead = desk.lead()
    first = desk.sent(lead, cadence_id=cadence(desk, step(1, wait=0), step(2, "email")))
    desk.hears("Tenho interesse sim")
    assert desk.enrolment(first)["state"] == "stopped_reply"
    assert len(desk.get("deals")["items"]) == 1
