"""What Resend really reports of our mail (tests/world/email), and mail whose words it does not give.

`right`: the state of the reported message, whether the address is dead for ever, and when the next mail to it leaves:
now, later (after a pause), never.
"""

from typing import Any

import pytest

from somos.modules.sdr.actions.mails import WAITS
from somos.modules.sdr.queries.messages import PAUSE
from somos.modules.sdr.rules.guards import ADDRESS_PAUSED
from tests.functions.sdr.conftest import Desk
from tests.harness.corpus import Case, cases

FULL = {"bounce": {"type": "Transient", "subType": "MailboxFull", "message": "The mailbox is full."}}
GONE = {"statusCode": 404, "name": "not_found", "message": "Email not found"}
READING = "/emails/receiving"


def report(desk: Desk, event: str, data: Any) -> None:
    ours = desk.left("email")[0]
    assert desk.resend(event, {"email_id": ours["id"], "to": [ours["to"]], **data}).status == 200
    desk.mesh.drain()
    desk.mesh.advance(minutes=1)


@pytest.mark.parametrize("case", cases("email"))
def test_what_a_report_means_for_the_address(desk: Desk, case: Case):
    desk.any_time()
    lead = desk.lead()
    message = desk.sent(lead, channel="email")
    for told in case.input:
        report(desk, told["type"], told["data"])
    assert desk.message(message["id"])["state"] == case.right["message"]
    assert bool(desk.get("suppressions")["items"]) is case.right["suppressed"]
    if case.right["sends"] == "never":
        assert desk.campaign_refuses(lead, channel="email")
        return
    desk.mesh.advance(days=1)
    desk.approved(lead, channel="email")
    desk.mesh.drain()
    assert len(desk.left("email")) == (2 if case.right["sends"] == "now" else 1)
    desk.mesh.advance(seconds=PAUSE.total_seconds())
    desk.mesh.drain()
    assert len(desk.left("email")) == 2


def test_mail_that_arrives_after_all_lets_what_waited_go_on(desk: Desk):
    desk.any_time()
    lead = desk.lead()
    desk.sent(lead, channel="email")
    report(desk, "email.bounced", FULL)
    waiting = desk.approved(lead, channel="email")
    desk.mesh.drain()
    assert desk.message(waiting["id"])["waiting_for"] == ADDRESS_PAUSED
    report(desk, "email.delivered", {})
    assert desk.message(waiting["id"])["state"] == "sent"


def test_a_full_mailbox_told_by_mail_pauses_the_address(desk: Desk):
    desk.any_time()
    lead = desk.lead()
    desk.sent(lead, channel="email")
    to = desk.left("email")[0]["to"]
    desk.outside.post("people/horizonte", email="mailer-daemon@horizonte-exemplo.com.br")
    desk.mails(text=f"Final-Recipient: rfc822; {to}\nAction: failed\nStatus: 4.2.2", drain=True)
    assert desk.get("responses")["items"][0]["label"] == "bounce"
    assert desk.get("suppressions")["items"] == []
    waiting = desk.approved(lead, channel="email")
    desk.mesh.drain()
    assert desk.message(waiting["id"])["waiting_for"] == ADDRESS_PAUSED


# --- mail that cannot be read ---------------------------------------------------------------------------


def unreadable(desk: Desk, said: str, times: int, **fault: Any) -> Any:
    """Ana's mail came, and the provider does not give its words; a message that is ready to leave to her."""
    lead = desk.lead()
    desk.sent(lead, channel="email")
    waiting = desk.approved(lead)
    desk.outside.post("faults", provider="resend", path=READING, times=times, **fault)
    desk.mailed("horizonte", said, drain=False)
    desk.only("inbox.")
    desk.mesh.drain(only=lambda claim: claim.type != "sdr.mail_unread")
    assert desk.get("responses?state=unread")["items"][0]["text"] == ""
    assert desk.left("whatsapp") == []
    return waiting


@pytest.mark.parametrize(
    ("times", "fault"),
    [
        (1, {"kind": "status", "status": 404, "body": GONE}),
        (3, {"kind": "status", "status": 500}),
        (3, {"kind": "malformed"}),
    ],
)
def test_mail_that_cannot_be_read_is_kept_holds_what_leaves_and_is_read_later(desk: Desk, times: int, fault: Any):
    waiting = unreadable(desk, "parar", times, **fault)
    desk.mesh.advance(seconds=WAITS[0].total_seconds())
    desk.mesh.drain()
    heard = desk.get("responses")["items"][0]
    assert (heard["label"], heard["text"]) == ("optout", "parar")
    assert desk.message(waiting["id"])["state"] == "cancelled"
    assert desk.left("whatsapp") == []


def test_mail_that_is_never_given_is_asked_for_only_so_often_and_holds_until_a_person_says_what_it_is(desk: Desk):
    waiting = unreadable(desk, "parar", 1000, kind="status", status=404, body=GONE)
    for wait in WAITS:
        desk.mesh.advance(seconds=wait.total_seconds())
        desk.mesh.drain(only=lambda claim: claim.type == "sdr.mail_unread")
    assert desk.events("mail_unread") == len(WAITS)
    assert desk.message(waiting["id"])["waiting_for"] == "Um e-mail desta pessoa chegou e ainda não pôde ser lido."
    heard = desk.get("responses?state=unread")["items"][0]
    assert desk.post(f"responses/{heard['id']}/classify", {"label": "no"})["label"] == "no"
    assert desk.message(waiting["id"])["state"] == "cancelled"


def test_an_opt_out_read_late_counts_though_a_person_said_otherwise(desk: Desk):
    unreadable(desk, "parar", 1, kind="status", status=404, body=GONE)
    heard = desk.get("responses")["items"][0]
    desk.post(f"responses/{heard['id']}/classify", {"label": "automatic"})
    desk.mesh.advance(minutes=5)
    desk.mesh.drain(only=lambda claim: claim.type == "sdr.mail_unread")
    assert desk.get("responses")["items"][0]["label"] == "optout"
    assert desk.get("suppressions")["items"] != []


# --- which message a mail answers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"In-Reply-To": "<first@horizonte-exemplo.com.br> {ours}", "References": ""},
        {"In-Reply-To": "", "References": "<first@horizonte-exemplo.com.br>\r\n {ours}"},
        {"In-Reply-To": "<a-copy@horizonte-exemplo.com.br>", "References": "{ours} <a-copy@horizonte-exemplo.com.br>"},
    ],
)
def test_a_mail_from_another_box_is_matched_by_every_id_it_names(desk: Desk, headers: dict[str, str]):
    lead = desk.lead(email="contato@horizonte-exemplo.com.br")
    message = desk.sent(lead, channel="email")
    ours = {"email_id": desk.left("email")[-1]["id"], "message_id": "<ours@somos-exemplo.com.br>"}
    assert desk.resend("email.sent", ours).status == 200
    desk.mesh.drain()
    named = {name: value.format(ours=ours["message_id"]) for name, value in headers.items()}
    desk.hears_mail(text="Quanto custa?", headers=named)
    heard = desk.get("responses")["items"][0]
    assert (heard["lead_id"], heard["message_id"]) == (lead, message["id"])
