"""Pre-flight: every check that must hold, each with its reason, or nothing leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from somos.modules.sdr.rules.guards import CHECKS, LAST_CHECKS, Preflight, decisive, preflight
from somos.modules.sdr.rules.windows import Ramp, Window

NOON = datetime(2026, 11, 19, 15, 0, tzinfo=UTC)  # Thursday, noon in São Paulo
READY = Preflight(
    now=NOON,
    channel="whatsapp",
    conversational=False,
    content_hash="a",
    approved_hash="a",
    approved_by_person=True,
    approval_expires_at=NOON + timedelta(days=1),
    suppressed=False,
    inbound="none",
    lead_state="in_cadence",
    relationship=None,
    stopped_enrolment=None,
    campaign_state="running",
    switches=(),
    health="ok",
    health_until=None,
    window=Window("08:00", "20:00", frozenset(range(5))),
    zone="America/Sao_Paulo",
    sender_zone="America/Sao_Paulo",
    ramp=Ramp(40, 10, 5, None),
    sender_left_today=0,
    person_left=(),
)


def refused(**changed):
    return {r.check: r for r in preflight(replace(READY, **changed), lambda _: False)}


def test_a_message_with_everything_in_order_leaves():
    assert refused() == {}


@pytest.mark.parametrize(
    ("check", "then", "changed"),
    [
        ("approval", "ask", {"approved_hash": None}),
        ("approval", "ask", {"approved_hash": "b"}),
        ("approval", "ask", {"approved_by_person": False}),
        ("approval", "ask", {"approval_expires_at": NOON}),
        ("approval", "ask", {"approval_expires_at": None}),
        ("suppression", "cancel", {"suppressed": True}),
        ("inbound", "cancel", {"inbound": "human"}),
        ("inbound", "wait", {"inbound": "unclassified"}),
        ("lead", "cancel", {"lead_state": "blocked"}),
        ("lead", "cancel", {"lead_state": "erased"}),
        ("relationship", "cancel", {"relationship": "client"}),
        ("relationship", "cancel", {"relationship": "open_deal"}),
        ("enrolment", "cancel", {"stopped_enrolment": "stopped_reply"}),
        ("campaign", "hold", {"campaign_state": "paused"}),
        ("kill-switch", "hold", {"switches": ("auditoria",)}),
        ("inbound", "hold", {"inbound": "unclear"}),
        ("health", "hold", {"health": "inactive"}),
        ("health", "hold", {"health": "blocked"}),
        ("health", "hold", {"health": "disconnected"}),
        ("health", "wait", {"health": "quota_today", "health_until": NOON + timedelta(hours=9)}),
        ("person-cap", "wait", {"person_left": (NOON - timedelta(days=1), NOON - timedelta(days=2))}),
        ("sender-cap", "wait", {"sender_left_today": 40}),
        ("sender-cap", "wait", {"sender_left_today": 20, "health": "slowed"}),
        ("window", "wait", {"now": NOON.replace(hour=2), "approval_expires_at": NOON + timedelta(days=9)}),
        ("window", "hold", {"window": Window("08:00", "20:00", frozenset())}),
    ],
)
def test_each_check_refuses_by_name_and_reason(check, then, changed):
    found = refused(**changed)
    assert set(found) == {check}
    assert found[check].then == then
    assert found[check].reason
    assert (found[check].until is not None) == (then == "wait")


def test_a_wait_ends_in_the_future():
    for refusal in refused(sender_left_today=99, person_left=(NOON, NOON), inbound="unclassified").values():
        assert refusal.until > NOON


def test_cancelling_wins_over_waiting_and_the_longest_wait_over_the_rest():
    found = list(refused(suppressed=True, sender_left_today=99, campaign_state="paused").values())
    assert decisive(found).check == "suppression"
    waits = list(refused(sender_left_today=99, inbound="unclassified").values())
    assert decisive(waits).check == "sender-cap"


def test_a_person_answering_a_person_is_held_by_no_cap_and_no_window():
    late = {"now": NOON.replace(hour=2), "person_left": (NOON, NOON), "sender_left_today": 99}
    assert refused(conversational=True, relationship="client", lead_state="blocked", **late) == {}
    assert set(refused(conversational=True, suppressed=True, **late)) == {"suppression"}


def test_the_last_checks_are_checks():
    assert set(LAST_CHECKS) < set(CHECKS)
