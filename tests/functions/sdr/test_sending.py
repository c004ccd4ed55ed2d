"""Approved messages leave inside windows and caps, in sandbox not at all, and never twice."""

from datetime import datetime, timedelta

import pytest

from somos.mesh import clock
from tests.functions.sdr.conftest import FROM, INSTANCE, Desk, at


def queued(desk: Desk, message: dict[str, object]) -> tuple[str, str | None]:
    after = desk.message(str(message["id"]))
    return after["state"], after["waiting_for"]


def test_an_email_leaves_under_a_key_with_the_one_click_way_out(desk: Desk):
    message = desk.sent(channel="email")
    mail = desk.left("email")[0]
    assert (mail["from"], mail["subject"], mail["text"]) == (FROM, message["subject"], message["text"])
    assert mail["idempotency_key"]
    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["headers"]["List-Unsubscribe"].strip("<>")
    assert link in mail["text"]


@pytest.mark.any_day
def test_outside_the_window_a_message_waits_for_the_morning(desk: Desk):
    desk.mesh.time = at("2026-11-23T21:30-03:00")
    message = desk.approved()
    desk.mesh.drain()
    assert desk.left() == []
    assert queued(desk, message) == ("queued", "Fora do horário de envio.")
    assert desk.message(message["id"])["due_at"] == "2026-11-24T11:00:00Z"
    desk.mesh.time = at("2026-11-24T08:00-03:00")
    desk.mesh.drain()
    assert len(desk.left()) == 1


def test_a_holiday_is_no_day_to_write(desk: Desk):
    desk.mesh.time = at("2026-12-25T10:00-03:00")
    message = desk.approved()
    desk.mesh.drain()
    assert desk.message(message["id"])["due_at"] == "2026-12-28T11:00:00Z"
    assert desk.left() == []


def test_the_receivers_own_clock_counts(desk: Desk):
    desk.mesh.time = at("2026-11-23T08:30-03:00")
    message = desk.approved(desk.lead(uf="AC"))
    desk.mesh.drain()
    assert desk.message(message["id"])["due_at"] == "2026-11-23T13:00:00Z"


def test_the_third_message_in_seven_days_waits_across_campaigns_and_channels(desk: Desk):
    lead = desk.lead()
    desk.sent(lead)
    desk.mesh.advance(days=1)
    desk.sent(lead, channel="email")
    desk.mesh.advance(days=1)
    third = desk.approved(lead)
    desk.mesh.drain()
    assert len(desk.left()) == 2
    assert queued(desk, third) == ("queued", "A pessoa já recebeu 2 mensagens em 7 dias.")
    desk.mesh.advance(days=5)
    desk.mesh.drain()
    assert len(desk.left()) == 3


@pytest.mark.any_day
def test_a_sender_stops_at_its_daily_cap_and_goes_on_tomorrow(desk: Desk):
    desk.change_sender("whatsapp", daily_cap=1)
    desk.sent(desk.lead())
    second = desk.approved(desk.lead(phone="+5511955550102", email=None))
    desk.mesh.drain()
    assert len(desk.left()) == 1
    assert queued(desk, second) == ("queued", "O remetente atingiu o limite de hoje.")
    desk.next_morning()
    desk.mesh.drain()
    assert len(desk.left()) == 2


def test_a_raised_cap_lets_what_waited_go(desk: Desk):
    desk.change_sender("whatsapp", daily_cap=0)
    desk.approved()
    desk.mesh.drain()
    assert desk.left() == []
    desk.change_sender("whatsapp", daily_cap=5)
    desk.mesh.drain()
    assert len(desk.left()) == 1


@pytest.mark.any_day
def test_a_new_sender_warms_up(desk: Desk):
    desk.change_sender("whatsapp", ramp_since=str(clock.today()), ramp_start=0, ramp_step=1)
    message = desk.approved()
    desk.mesh.drain()
    assert desk.left() == []
    desk.mesh.time = datetime.fromisoformat(desk.message(message["id"])["due_at"])
    desk.mesh.drain()
    assert len(desk.left()) == 1


def test_a_message_to_oneself_that_waits_twice_leaves_once(desk: Desk):
    desk.mesh.twice = True
    desk.mesh.time = at("2026-11-23T21:30-03:00")
    desk.approved()
    desk.mesh.drain()
    desk.change_sender("whatsapp", opens="07:00")
    desk.change_sender("whatsapp", opens="06:00")
    desk.mesh.time = at("2026-11-24T08:00-03:00")
    desk.mesh.drain()
    assert len(desk.left()) == 1


@pytest.mark.parametrize("channel", ["whatsapp", "email"])
def test_a_sender_in_sandbox_calls_nobody(desk: Desk, channel: str):
    desk.change_sender(channel, sandbox=True)
    before = desk.outside.get("calls")["totals"]
    message = desk.sent(channel=channel)
    after = desk.outside.get("calls")["totals"]
    assert message["sandbox"] is True
    assert desk.left() == []
    assert after.get("evolution", 0) == before.get("evolution", 0)
    assert after.get("resend", 0) == before.get("resend", 0)


def test_a_sandbox_message_holds_no_real_one_back(desk: Desk):
    lead = desk.lead()
    desk.change_sender("email", sandbox=True)
    desk.sent(lead, channel="email")
    desk.mesh.advance(days=1)
    desk.sent(lead)
    desk.mesh.advance(days=1)
    desk.sent(lead)
    assert len(desk.left()) == 2


@pytest.mark.parametrize("scope", ["all", "channel:whatsapp", "agent:sdr"])
def test_a_kill_switch_holds_everything_and_lets_go(desk: Desk, scope: str):
    message = desk.draft()
    switch = desk.post("kill-switches", {"scope": scope, "reason": "auditoria"})
    desk.approve(message)
    desk.mesh.drain()
    assert desk.left() == []
    assert queued(desk, message) == ("queued", "Envios interrompidos: auditoria.")
    desk.post(f"kill-switches/{switch['id']}/off")
    desk.mesh.drain()
    assert len(desk.left()) == 1


def test_a_switch_for_one_channel_leaves_the_other_alone(desk: Desk):
    desk.post("kill-switches", {"scope": "channel:email", "reason": "auditoria"})
    desk.sent()


def test_a_paused_campaign_holds_its_messages_until_a_person_resumes_it(desk: Desk):
    message = desk.approved()
    campaign = message["campaign_id"]
    desk.post(f"outreach-campaigns/{campaign}/pause", {"reason": "esperar o cliente"})
    desk.mesh.drain()
    assert queued(desk, message) == ("queued", "A campanha está pausada.")
    desk.call(f"POST /api/v1/outreach-campaigns/{campaign}/resume", {}, as_=desk.ana).refused(403)
    desk.post(f"outreach-campaigns/{campaign}/resume")
    desk.mesh.drain()
    assert len(desk.left()) == 1


def test_a_deal_opened_meanwhile_keeps_the_first_contact_from_leaving(desk: Desk):
    message = desk.approved(desk.lead(domain="horizonte-exemplo.com.br"))
    company = desk.post("companies", {"name": "Horizonte", "domain": "horizonte-exemplo.com.br"})
    desk.post("deals", {"title": "Filme", "company_id": company["id"]})
    desk.mesh.drain()
    assert desk.left() == []
    assert queued(desk, message)[0] == "cancelled"
    assert desk.enrolment(message)["state"] == "stopped_deal"


def test_a_lead_marked_never_to_be_contacted_gets_nothing_that_was_approved_before(desk: Desk):
    message = desk.approved()
    desk.sql("update hunter.leads set state = 'blocked' where id = :id", id=message["lead_id"])
    desk.mesh.drain()
    assert desk.left() == []
    assert queued(desk, message)[0] == "cancelled"


def test_a_number_that_is_not_on_whatsapp_ends_the_message_and_is_never_used_again(desk: Desk):
    message = desk.approved(desk.lead(phone="+5511999990000", email=None))
    desk.mesh.drain()
    after = desk.message(message["id"])
    assert (after["state"], after["ended_reason"]) == ("failed_permanent", "Este número não está no WhatsApp.")
    assert desk.enrolment(message)["state"] == "stopped_bounce"
    assert desk.get("suppressions")["items"][0]["reach"] == "address"
    assert desk.left() == []


def test_the_ninth_digit_is_tried_both_ways(desk: Desk):
    desk.outside.post("people/horizonte", old_whatsapp=True)
    desk.sent()
    assert desk.left()[0]["to"] == "551155550101@s.whatsapp.net"


def test_a_disconnected_number_keeps_its_queue_until_it_is_back(desk: Desk):
    desk.outside.post(f"instances/{INSTANCE}", state="close", reason=401)
    message = desk.approved()
    desk.mesh.drain()
    assert queued(desk, message) == ("queued", "O WhatsApp está desconectado.")
    assert desk.get(f"senders/{desk.senders['whatsapp']}")["health"] == "disconnected"
    desk.outside.post(f"instances/{INSTANCE}", state="open")
    desk.evolution("connection.update", {"instance": INSTANCE, "state": "open", "statusReason": 200})
    desk.mesh.drain()
    assert len(desk.left()) == 1


def test_a_banned_number_is_only_back_when_a_person_says_so(desk: Desk):
    desk.evolution("connection.update", {"instance": INSTANCE, "state": "close", "statusReason": 403})
    message = desk.approved()
    desk.mesh.drain()
    assert desk.get(f"senders/{desk.senders['whatsapp']}")["health"] == "blocked"
    desk.evolution("connection.update", {"instance": INSTANCE, "state": "open", "statusReason": 200})
    desk.mesh.drain()
    assert queued(desk, message) == ("queued", "O canal do remetente está bloqueado.")
    desk.call(f"POST /api/v1/senders/{desk.senders['whatsapp']}/repaired", {}, as_=desk.ana).refused(403)
    desk.post(f"senders/{desk.senders['whatsapp']}/repaired")
    desk.mesh.drain()
    assert len(desk.left()) == 1


def fault(desk: Desk, provider: str, kind: str, **more: object) -> None:
    desk.outside.post("faults", provider=provider, kind=kind, **more)


@pytest.mark.any_day
def test_a_quota_used_up_makes_the_rest_wait_for_tomorrow(desk: Desk):
    body = {"statusCode": 429, "name": "daily_quota_exceeded", "message": "..."}
    fault(desk, "resend", "status", path="/emails", status=429, body=body)
    message = desk.approved(channel="email")
    desk.mesh.drain()
    assert desk.get(f"senders/{desk.senders['email']}")["health"] == "quota_today"
    assert queued(desk, message)[0] == "queued"
    desk.next_morning()
    desk.mesh.drain()
    assert len(desk.left("email")) == 1
    assert desk.get(f"senders/{desk.senders['email']}")["health"] == "ok"


def test_too_fast_slows_the_sender_down(desk: Desk):
    fault(desk, "resend", "status", path="/emails", status=429, times=4)
    message = desk.approved(channel="email")
    desk.mesh.drain()
    assert desk.get(f"senders/{desk.senders['email']}")["health"] == "slowed"
    desk.mesh.time += timedelta(minutes=5)
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"


def test_a_lost_answer_from_whatsapp_is_never_sent_again_and_waits_for_a_person(desk: Desk):
    fault(desk, "evolution", "lost", path="/message/sendText")
    message = desk.approved()
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "unknown"
    desk.mesh.advance(hours=2)
    desk.mesh.drain()
    assert len(desk.left()) == 1


def test_a_lost_answer_from_resend_is_found_out_under_the_same_key(desk: Desk):
    fault(desk, "resend", "lost", path="/emails", times=3)
    message = desk.approved(channel="email")
    desk.mesh.drain(tolerate=True)
    desk.mesh.advance(minutes=30)
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"
    assert len(desk.left("email")) == 1


def nothing_waits_in_the_journal(desk: Desk, text: str) -> bool:
    """No call waits for a person, and what a settled one said is not kept."""
    calls = desk.mesh.rows(
        "select state, arguments::text as said from mesh.effects where operation like '%send_whatsapp'"
    )
    return all(call["state"] != "parked" for call in calls) and all(
        text not in call["said"] for call in calls if call["state"] == "settled"
    )


def test_whatsapps_own_report_settles_a_lost_answer(desk: Desk):
    fault(desk, "evolution", "lost", path="/message/sendText")
    message = desk.approved()
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "unknown"
    there = desk.left()[0]
    told = {
        "key": {"remoteJid": there["to"], "fromMe": True, "id": there["id"]},
        "message": {"conversation": there["text"]},
    }
    desk.evolution("send.message", told)
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"
    assert desk.events("message_sent") == 1
    assert nothing_waits_in_the_journal(desk, there["text"])


@pytest.mark.any_day
def test_the_list_of_the_chat_settles_a_lost_answer(desk: Desk):
    desk.any_time()
    fault(desk, "evolution", "lost", path="/message/sendText")
    message = desk.approved()
    desk.mesh.drain()
    desk.every_minutes(10)
    assert desk.message(message["id"])["state"] == "sent"
    assert len(desk.left()) == 1
    assert nothing_waits_in_the_journal(desk, message["text"])


@pytest.mark.parametrize("again", [False, True])
def test_a_person_may_say_it_did_not_leave_and_have_it_tried_again(desk: Desk, again: bool):
    fault(desk, "evolution", "status", path="/message/sendText", status=500)
    message = desk.approved()
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "unknown"
    desk.call(f"POST /api/v1/outreach-messages/{message['id']}/settle", {"outcome": "not_sent"}, as_=desk.ana).refused(
        403
    )
    assert not nothing_waits_in_the_journal(desk, message["text"])
    desk.post(f"outreach-messages/{message['id']}/settle", {"outcome": "not_sent", "again": again})
    assert nothing_waits_in_the_journal(desk, message["text"])
    desk.mesh.drain()
    assert len(desk.left()) == int(again)
    assert desk.message(message["id"])["state"] == ("sent" if again else "not_sent")


def test_a_person_may_say_it_did_leave(desk: Desk):
    fault(desk, "evolution", "lost", path="/message/sendText")
    message = desk.approved()
    desk.mesh.drain()
    settled = desk.post(f"outreach-messages/{message['id']}/settle", {"outcome": "sent"})
    assert settled["state"] == "sent"
    assert desk.events("message_sent") == 1
    assert nothing_waits_in_the_journal(desk, message["text"])
    desk.call(f"POST /api/v1/outreach-messages/{message['id']}/settle", {"outcome": "sent"}).refused(409)


def test_a_linkedin_message_leaves_only_by_a_persons_hand(desk: Desk):
    desk.sender("linkedin", "https://linkedin.com/in/dora")
    message = desk.approved(channel="linkedin")
    desk.mesh.drain()
    assert queued(desk, message) == ("queued", "Envie pelo LinkedIn e marque como enviada.")
    settled = desk.post(f"outreach-messages/{message['id']}/settle", {"outcome": "sent"})
    assert settled["state"] == "sent"
    assert desk.left() == []


def receipts(desk: Desk, *statuses: str) -> None:
    for status in statuses:
        desk.evolution("messages.update", {"keyId": desk.left()[0]["id"], "fromMe": True, "status": status})
    desk.mesh.drain()


def test_receipts_move_a_message_on_and_never_back(desk: Desk):
    message = desk.sent()
    receipts(desk, "READ", "DELIVERY_ACK", "SERVER_ACK", "READ")
    after = desk.message(message["id"])
    assert after["state"] == "read"
    assert after["delivered_at"]
    assert after["opened_at"]


def test_a_receipt_that_comes_before_we_know_the_message_is_caught_up_with(desk: Desk):
    desk.any_time()
    fault(desk, "evolution", "lost", path="/message/sendText")
    message = desk.approved()
    desk.mesh.drain()
    receipts(desk, "DELIVERY_ACK")
    assert desk.message(message["id"])["state"] == "unknown"
    desk.every_minutes(10)
    assert desk.message(message["id"])["state"] == "delivered"


def mail_event(desk: Desk, event: str, **more: object) -> None:
    desk.resend(event, {"email_id": desk.left("email")[0]["id"], "to": [desk.left("email")[0]["to"]], **more})
    desk.mesh.drain()


def test_an_email_delivered_and_opened_is_told_on_the_message(desk: Desk):
    message = desk.sent(channel="email")
    mail_event(desk, "email.opened")
    mail_event(desk, "email.delivered")
    after = desk.message(message["id"])
    assert (after["state"], bool(after["opened_at"])) == ("delivered", True)


def test_a_bounced_email_ends_the_message_and_suppresses_the_address_only(desk: Desk):
    lead = desk.lead()
    message = desk.sent(lead, channel="email")
    mail_event(desk, "email.bounced", bounce={"type": "Permanent", "message": "no such user"})
    assert desk.message(message["id"])["state"] == "failed_permanent"
    assert [(s["source"], s["reach"]) for s in desk.get("suppressions")["items"]] == [("bounce", "address")]
    desk.mesh.advance(days=1)
    desk.sent(lead)


def test_a_temporary_bounce_is_only_late(desk: Desk):
    message = desk.sent(channel="email")
    mail_event(desk, "email.bounced", bounce={"type": "Temporary"})
    assert desk.message(message["id"])["state"] == "sent"
    assert desk.get("suppressions")["items"] == []


def test_a_complaint_suppresses_the_person_on_every_channel(desk: Desk):
    lead = desk.lead()
    desk.sent(lead, channel="email")
    mail_event(desk, "email.complained")
    assert {s["kind"] for s in desk.get("suppressions")["items"]} == {"phone", "email"}


def test_the_report_counts_what_happened(desk: Desk):
    message = desk.sent()
    receipts(desk, "DELIVERY_ACK")
    desk.hears("Tenho interesse sim, podemos conversar?")
    counted = desk.get(f"outreach-campaigns/{message['campaign_id']}")["report"]
    expected = {"leads": 1, "drafted": 1, "approved": 1, "sent": 1, "delivered": 1, "answered": 1, "positive": 1}
    assert {name: counted[name] for name in expected} == expected
    assert counted["tokens"] > 0


def test_a_sender_that_was_put_aside_sends_nothing(desk: Desk):
    message = desk.approved()
    desk.change_sender("whatsapp", active=False)
    desk.mesh.drain()
    assert queued(desk, message) == ("queued", "O remetente está desativado.")
    desk.change_sender("whatsapp", active=True)
    desk.mesh.drain()
    assert len(desk.left()) == 1
