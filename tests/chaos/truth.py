"""What must hold of a stack at rest, whatever died on the way there."""

from collections import Counter
from typing import Any

from somos.local.processes import wait_for
from tests.chaos.stack import Stack


def leads(stack: Stack) -> list[tuple[Any, ...]]:
    """Every lead by what identifies it, with its score. Not its state: that goes on with the story."""
    found = stack.rows("select domain, cnpj, phone, score, source from hunter.leads")
    return sorted((tuple(row.values()) for row in found), key=repr)


def check(stack: Stack) -> dict[str, int]:
    """Raises AssertionError on the first thing that does not hold; counts of what was looked at."""
    _nothing_is_left_behind(stack)
    _nobody_heard_twice(stack)
    _yeses_are_deals(stack)
    _the_trail_holds(stack)
    _the_relay_beats(stack)
    return {
        "leads": stack.one("select count(*) from hunter.leads"),
        "sent": len(stack.outside("sent")),
        "unknown": stack.one("select count(*) from sdr.outreach_messages where state = 'unknown'"),
        "answers": len(stack.outside("inbound")),
        "deals": stack.one("select count(*) from crm.deals"),
        "deliveries": stack.one("select count(*) from mesh.deliveries"),
    }


def _nothing_is_left_behind(stack: Stack) -> None:
    assert stack.rows("select function, type, last_error from mesh.deliveries where state = 'dead'") == []
    lost = "from mesh.deliveries d where not exists (select 1 from mesh.outbox o where o.id = d.event_id)"
    assert stack.rows(f"select d.id, d.type {lost}") == []
    # A call is done, refused or a person's to judge. One may stay half made whose message a report has settled.
    half = "from mesh.effects e join mesh.deliveries d on d.id = e.delivery_id where e.state = 'started'"
    assert stack.rows(f"select e.operation, d.state {half} and d.state <> 'done'") == []
    assert set(stack.column("select distinct state from agents.tasks")) == {"succeeded"}
    unsettled = "('discovered', 'enriching', 'scored')"
    assert stack.rows(f"select company_name, state from hunter.leads where state in {unsettled}") == []
    domains = stack.column("select domain from hunter.leads where domain is not null and state <> 'duplicate'")
    assert _twice(domains) == []


def _nobody_heard_twice(stack: Stack) -> None:
    got = stack.outside("sent")
    assert _twice((mail["channel"], mail["to"], mail["text"]) for mail in got) == []
    assert _twice((mail["channel"], mail["person"]) for mail in got if mail["person"]) == []
    assert [mail for mail in got if mail["after_optout"]] == []
    columns = "id, state, channel, provider_id, approved_at, text, waiting_for"
    messages = stack.rows(f"select {columns} from sdr.outreach_messages")
    assert [dict(row) for row in messages if row["state"] in ("approved", "queued", "sending")] == []
    # Whatever left was approved, and we know that it left.
    known = {str(row["provider_id"]): row for row in messages if row["provider_id"]}
    for mail in got:
        row = known.get(mail["id"])
        assert row is not None, mail
        assert row["approved_at"] is not None
    # Whatever we say has left, has; and what nobody can tell of waits for a person.
    left = {mail["id"] for mail in got}
    for row in messages:
        assert row["state"] not in ("sent", "delivered", "read") or row["provider_id"] in left, dict(row)
        assert row["state"] != "unknown" or row["waiting_for"], dict(row)


def _yeses_are_deals(stack: Stack) -> None:
    heard = stack.outside("inbound")
    stored = stack.rows("select provider_message_id, label, lead_id, state from sdr.responses")
    assert _twice(row["provider_message_id"] for row in stored) == []
    assert {said["id"] for said in heard} == {row["provider_message_id"] for row in stored}
    assert [dict(row) for row in stored if row["label"] is None] == []
    wanted = {row["lead_id"] for row in stored if row["label"] == "interested"}
    deals = stack.column("select lead_id from crm.deals")
    assert sorted(map(str, deals)) == sorted(map(str, wanted))


def _the_trail_holds(stack: Stack) -> None:
    assert stack.one("select broken from mesh.verify_audit(0, 1000000)") is None
    assert _twice(stack.column("select audit_id from mesh.audit_seals")) == []


def _the_relay_beats(stack: Stack) -> None:
    beat = "select at > now() - interval '10 seconds' from mesh.heartbeats where part = 'relay'"
    assert wait_for(lambda: stack.one(beat) is True, 30)


def _twice(things: Any) -> list[Any]:
    return [thing for thing, count in Counter(things).items() if count > 1]
