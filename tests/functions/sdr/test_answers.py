"""What people really answer (tests/world/answers), and what still leaves to them afterwards.

`held`: nothing leaves while the model is away, because it is not known what they mean, or they refused, or they are
away until `later_date`.
"""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from somos.mesh.clock import SAO_PAULO
from tests.functions.sdr.conftest import Desk
from tests.harness.corpus import Case, cases


def say(desk: Desk, said: dict[str, Any]) -> None:
    """Let the person answer our mail, or write on WhatsApp, as the case says."""
    if said["channel"] == "whatsapp":
        desk.hears(said["text"], drain=False)
        return
    desk.mails(**{name: said[name] for name in ("text", "html", "subject", "headers") if name in said})


# What any other answer means is decided by its label alone: tests/rules/test_sdr_answers.py.
WHOLE = [
    one
    for one in cases("answers")
    if "later_date" in one.values[0].right or "html" in one.values[0].input or one.values[0].right["label"] == "unclear"
]


@pytest.mark.parametrize("case", WHOLE)
def test_what_leaves_after_an_answer(desk: Desk, case: Case):
    desk.mesh.time = datetime.combine(
        datetime.fromisoformat(case.input["today"]), time(12), tzinfo=SAO_PAULO
    ) - timedelta(days=1)
    desk.any_time()
    lead = desk.lead()
    desk.sent(lead, channel="email")
    waiting = desk.approved(lead)
    desk.mesh.advance(days=1)
    desk.outside.post("faults", provider="openai", kind="status", status=500, times=50)
    say(desk, case.input)
    desk.only("inbox.")
    desk.mesh.drain(tolerate=True)
    heard = desk.get("responses")["items"][0]
    assert (heard["label"], heard["later_date"]) == (case.right["label"], case.right.get("later_date"))
    assert bool(desk.left("whatsapp")) is not case.right["held"]
    if last := case.right.get("later_date"):
        after = datetime.combine(datetime.fromisoformat(last) + timedelta(days=1), time(), tzinfo=SAO_PAULO)
        assert datetime.fromisoformat(desk.message(waiting["id"])["due_at"]) == after
