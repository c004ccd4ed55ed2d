"""What people and their programs really write (tests/world/answers) and report (tests/world/reports).

`right` of an answer: the label that words and headers settle (null: the model reads it), and of an absence its last
day. `right` of a report: its label, and whether it says that our address is dead.
"""

from datetime import date

import pytest

from somos.adapters.resend.mail_text import plain_text
from somos.modules.sdr.rules.absence import away_until
from somos.modules.sdr.rules.inbound import Inbound, bounced, by_rules
from tests.harness.corpus import Case, cases

OURS = "ana@horizonte-exemplo.com.br"


def inbound(said) -> Inbound:
    text = plain_text(said["html"]) if "html" in said else said["text"]
    return Inbound(said["channel"], OURS, text, said.get("subject", ""), said.get("headers"))


@pytest.mark.parametrize("case", cases("answers"))
def test_an_answer_means_what_its_writer_means(case: Case):
    verdict = by_rules(inbound(case.input))
    assert (verdict.label if verdict else None) == case.right["label"]


@pytest.mark.parametrize("case", [one for one in cases("answers") if one.values[0].right["label"] == "automatic"])
def test_an_absence_ends_on_the_day_it_names(case: Case):
    message = inbound(case.input)
    last = away_until(f"{message.subject}\n{message.parts.own}", date.fromisoformat(case.input["today"]))
    assert (last.isoformat() if last else None) == case.right.get("later_date")


@pytest.mark.parametrize("case", cases("reports"))
def test_a_report_says_which_address_is_dead(case: Case):
    said = case.input
    message = Inbound("email", said["from"], said["text"], said["subject"], said["headers"])
    verdict = by_rules(message)
    assert verdict is not None
    assert verdict.label == case.right["label"]
    if verdict.label == "bounce":
        assert {one.address: one.dead for one in bounced(message)}[OURS] is case.right["dead"]
