"""What Evolution really sends, and what becomes of it: one file each in tests/world/whatsapp.

Somebody was written to on WhatsApp, and an e-mail to them, approved, is about to leave. `input` are the webhooks that
come then, in order; `TOLD` in them is the id of our message and `TEXT` its text. What is `right`: `stored`, the texts
heard and their class; `phone`, what ours wrote on the phone; `next`, how the e-mail stands; `suppressed`, whether
anybody may still be written to; `told`, what people are told besides; `open`, answers that still wait for a person.
"""

import json
from typing import Any

import pytest

from somos.mesh.notifier import Notifier
from tests.functions.sdr.conftest import Desk
from tests.harness.corpus import Case, cases


@pytest.fixture
def twice() -> bool:
    """Whatever is delivered once here is delivered twice."""
    return True


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(Notifier, "publish", lambda _, messages: found.extend(message["type"] for message in messages))
    return found


@pytest.mark.parametrize("case", cases("whatsapp"))
def test_what_whatsapp_sends_has_its_right_effect(desk: Desk, notices: list[str], case: Case):
    lead = desk.lead()
    first = desk.sent(lead)
    waiting = desk.approved(lead, channel="email")
    for event in _as_told(desk, case.input, first):
        assert desk.evolution(event["event"], event["data"]).status == 200
        desk.only("inbox.", "sdr.reply")
    desk.mesh.drain()
    right = case.right
    heard = desk.mesh.rows("select text, label, state from sdr.responses order by id")
    assert [[row["text"], row["label"]] for row in heard] == right["stored"]
    on_phone = desk.mesh.rows("select text from sdr.phone_messages order by id")
    assert [row["text"] for row in on_phone] == right.get("phone", [])
    assert desk.message(waiting["id"])["state"] == right["next"]
    assert bool(desk.get("suppressions")["items"]) is right["suppressed"]
    assert set(right.get("told", [])) <= set(notices)
    if "open" in right:
        assert [row["state"] for row in heard].count("classified") == right["open"]
    assert desk.one("select count(*) from mesh.deliveries where state = 'dead'") == 0


def _as_told(desk: Desk, events: Any, first: Any) -> Any:
    id = desk.one("select provider_id from sdr.outreach_messages where id = :id", id=first["id"])
    return json.loads(json.dumps(events).replace('"TOLD"', json.dumps(id)).replace('"TEXT"', json.dumps(first["text"])))
