"""Nothing leaves without a person's approval of this text, to this person, by this channel and sender."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from somos.events.sdr import MessageApproved, MessageClaimed
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role
from tests.functions.sdr.conftest import ANA_EMAIL, ANA_PHONE, INSTANCE, JID, Desk
from tests.harness.mesh import Person


@pytest.fixture
def agent(desk: Desk) -> str:
    """An API key with all that a key can have."""
    admin = desk.mesh.person("Admin")
    made = desk.call("POST /api/v1/api-keys", {"name": "agente", "scopes": ["sdr:write", "hunter:read"]}, as_=admin)
    return str(made.ok()["secret"])


def test_an_approved_message_leaves_once_exactly_as_approved(desk: Desk):
    message = desk.sent()
    left = desk.left()
    assert [(m["channel"], m["from"], m["to"], m["text"]) for m in left] == [
        ("whatsapp", INSTANCE, JID, message["text"])
    ]


def test_a_comercial_a_client_and_a_key_cannot_approve(desk: Desk, agent: str):
    message = desk.draft()
    yes = {"text_hash": message["text_hash"]}
    path = f"POST /api/v1/outreach-messages/{message['id']}/approve"
    desk.call(path, yes, as_=desk.ana).refused(403)
    desk.call(path, yes, as_=desk.mesh.person("Cliente", client_company_id=desk.diretora.id)).refused(403)
    desk.mesh.call(path, yes, as_=agent).refused(403)
    edit = {**yes, "text": message["text"]}
    desk.mesh.call(f"POST /api/v1/outreach-messages/{message['id']}/edit-and-approve", edit, as_=agent).refused(403)
    desk.mesh.drain()
    assert desk.left() == []


@pytest.mark.parametrize("job", [MessageApproved, MessageClaimed])
def test_a_job_cannot_send_what_nobody_approved(desk: Desk, job: type):
    message = desk.draft()
    more = {"attempt": 1} if job is MessageClaimed else {}
    desk.mesh.state(job(message_id=message["id"], **more))
    desk.mesh.drain()
    assert desk.left() == []
    assert desk.message(message["id"])["state"] == "awaiting_approval"


def test_the_database_itself_refuses_a_message_on_its_way_without_approval(desk: Desk):
    message = desk.draft()
    with pytest.raises(DBAPIError, match="approved"):
        desk.sql("update sdr.outreach_messages set state = 'queued' where id = :id", id=message["id"])


def test_the_database_lets_no_agent_write_an_approval(desk: Desk):
    message = desk.draft()
    agent = Person(Principal(desk.ana.id, Role.Agente_IA, Kind.agent, "agente"), "")
    with desk.mesh.db(agent) as db:
        changed = db.execute(
            text("update sdr.approvals set state = 'approved', decided_by = :me where subject_id = :id"),
            {"me": desk.ana.id, "id": message["id"]},
        )
        assert changed.rowcount == 0


def test_a_decided_approval_is_frozen_in_the_database(desk: Desk):
    message = desk.approved()
    with pytest.raises(DBAPIError, match="never changes"):
        desk.sql("update sdr.approvals set expires_at = decided_at where subject_id = :id", id=message["id"])


def test_approving_what_was_read_refuses_what_was_changed_meanwhile(desk: Desk):
    message = desk.draft()
    edited = desk.call(
        f"PATCH /api/v1/outreach-messages/{message['id']}", {"text": message["text"].replace("!", ".", 1) + " "}
    ).ok()
    assert edited["text_hash"] != message["text_hash"]
    answer = desk.call(f"POST /api/v1/outreach-messages/{message['id']}/approve", {"text_hash": message["text_hash"]})
    assert answer.refused(409, "approval-stale")["fresh"]["text_hash"] == edited["text_hash"]


def test_approving_text_a_never_sends_text_b(desk: Desk):
    message = desk.approved()
    desk.call(f"PATCH /api/v1/outreach-messages/{message['id']}", {"text": message["text"] + " Abraço."}).ok()
    desk.mesh.drain()
    assert desk.left() == []
    assert desk.message(message["id"])["state"] == "awaiting_approval"


@pytest.mark.parametrize(
    "change",
    [
        "text = text || '.'",
        "to_address = '+5511955550102'",
        "channel = 'email'",
        "sender_id = (select id from sdr.senders where channel = 'email')",
    ],
)
def test_text_person_channel_and_sender_changed_behind_our_back_are_asked_again(desk: Desk, change: str):
    message = desk.approved()
    desk.sql(f"update sdr.outreach_messages set {change} where id = :id", id=message["id"])
    desk.mesh.drain()
    assert desk.left() == []
    assert desk.message(message["id"])["state"] == "awaiting_approval"
    assert desk.one("select count(*) from sdr.approvals where state = 'pending'") == 1


def test_a_sender_whose_address_changed_is_asked_again(desk: Desk):
    message = desk.approved()
    desk.sql("update sdr.senders set address = 'outra' where id = :id", id=desk.senders["whatsapp"])
    desk.mesh.drain()
    assert desk.left() == []
    assert desk.message(message["id"])["state"] == "awaiting_approval"


def test_an_approval_for_whatsapp_sends_no_email(desk: Desk):
    desk.sent()
    assert desk.left("email") == []


def test_deciding_twice_gives_the_first_decision(desk: Desk):
    message = desk.draft()
    first = desk.approve(message)
    again = desk.approve(message, as_=desk.mesh.person("Admin"))
    assert again["approved_at"] == first["approved_at"]
    assert desk.one("select decided_by from sdr.approvals") == desk.diretora.id
    desk.mesh.drain()
    assert len(desk.left()) == 1


def test_a_rejected_message_never_leaves_and_ends_its_cadence(desk: Desk):
    message = desk.draft()
    rejected = desk.post(f"outreach-messages/{message['id']}/reject", {"reason": "muito informal"})
    assert (rejected["state"], rejected["ended_reason"]) == ("rejected", "muito informal")
    desk.call(f"POST /api/v1/outreach-messages/{message['id']}/approve", {"text_hash": message["text_hash"]}).refused(
        409, "message-state"
    )
    assert desk.enrolment(message)["state"] == "stopped_manual"


def test_edit_and_approve_sends_the_new_words_and_keeps_the_models(desk: Desk):
    message = desk.draft()
    words = "Oi, Ana! Vamos conversar sobre um filme? Se não quiser, responda PARAR."
    after = desk.post(
        f"outreach-messages/{message['id']}/edit-and-approve", {"text_hash": message["text_hash"], "text": words}
    )
    assert after["edited_at"]
    desk.mesh.drain()
    assert [m["text"] for m in desk.left()] == [words]
    assert desk.one("select drafted_text from sdr.outreach_messages") == message["text"]


@pytest.mark.parametrize(
    "words", ["Oi, [Nome]! Responda PARAR se não quiser.", "Oi, Ana, sem aviso nenhum.", "PARAR " + "a" * 1300]
)
def test_a_text_that_is_not_ready_cannot_be_approved(desk: Desk, words: str):
    message = desk.draft()
    path = f"POST /api/v1/outreach-messages/{message['id']}/edit-and-approve"
    desk.call(path, {"text_hash": message["text_hash"], "text": words}).refused(422)
    assert desk.message(message["id"])["text"] == message["text"]


def test_an_agent_may_edit_and_then_a_person_is_asked_again(desk: Desk, agent: str):
    message = desk.approved()
    words = {"text": message["text"] + " Até logo!"}
    desk.mesh.call(f"PATCH /api/v1/outreach-messages/{message['id']}", words, as_=agent).ok()
    desk.mesh.drain()
    assert desk.left() == []
    requests = desk.get("approvals?sort=id")["items"]
    assert [r["state"] for r in requests] == ["approved", "pending"]
    assert requests[1]["requested_by"].startswith("api_key:")


@pytest.mark.any_day
def test_a_request_nobody_decides_lapses_with_its_message_and_cadence(desk: Desk):
    message = desk.draft()
    desk.mesh.advance(days=7, minutes=1)
    desk.call(f"POST /api/v1/outreach-messages/{message['id']}/approve", {"text_hash": message["text_hash"]}).refused(
        409, "approval-expired"
    )
    desk.every_minutes(15)
    assert desk.message(message["id"])["state"] == "cancelled"
    assert desk.enrolment(message)["state"] == "expired"
    assert desk.get("approvals")["items"][0]["state"] == "expired"


@pytest.mark.any_day
def test_an_approval_that_waited_too_long_is_asked_for_again(desk: Desk):
    message = desk.draft()
    switch = desk.post("kill-switches", {"scope": "all", "reason": "auditoria"})
    desk.approve(message)
    desk.mesh.drain()
    desk.mesh.advance(days=8)
    desk.post(f"kill-switches/{switch['id']}/off")
    desk.mesh.drain()
    assert desk.left() == []
    assert desk.message(message["id"])["state"] == "awaiting_approval"


def test_the_queue_shows_the_person_and_a_stale_version_is_refused(desk: Desk):
    message = desk.draft(channel="email")
    assert message["to_address"] == ANA_EMAIL
    assert ANA_PHONE not in str(message)
    stale = desk.call(f"PATCH /api/v1/outreach-messages/{message['id']}", {"text": "x"}, headers={"If-Match": '"999"'})
    stale.refused(412)
