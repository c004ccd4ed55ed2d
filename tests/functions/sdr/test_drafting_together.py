"""The drafts of one campaign are written side by side."""

import pytest

from tests.functions.sdr.conftest import Desk

pytestmark = pytest.mark.committed


def test_drafts_of_one_campaign_never_wait_for_each_other_in_a_circle(busy_desk: Desk):
    desk = busy_desk
    people = [desk.lead(phone=f"+55119777{n:05d}", email=None) for n in range(1, 13)]
    desk.post("sdr/campaign", {"lead_ids": people, "channel": "whatsapp"})
    desk.mesh.drain(only=lambda claim: claim.type == "sdr.campaign_started", most=1)
    statuses = desk.deliver_together(desk.due())
    assert set(statuses) == {204}
    assert desk.one("select state from agents.tasks") == "succeeded"
