"""Searches and leads move only as their machines say."""

from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel.refusals import NotAllowed
from somos.modules.hunter.rules import leads
from somos.modules.hunter.rules.leads import LEAD
from somos.modules.hunter.rules.search_sessions import SESSION

LABELS = [
    "interested", "question", "unclear", "wrong_person", "no", "later", "optout", "automatic", "bounce",
]  # fmt: skip


def test_blocked_leads_nowhere_but_to_erasure_and_erased_nowhere():
    assert LEAD.moves["blocked"] == {"erased"}
    assert LEAD.moves["erased"] == frozenset()


def test_every_state_but_the_ends_may_be_blocked_or_erased():
    for state in set(LEAD.states) - {"blocked", "erased"}:
        assert {"blocked", "erased"} <= LEAD.moves[state]


def test_only_an_accepted_lead_is_converted():
    assert [state for state, targets in LEAD.moves.items() if "converted" in targets] == ["accepted"]


def test_an_ended_search_never_moves_again():
    assert all(not SESSION.moves[state] for state in ("completed", "failed", "cancelled"))
    with pytest.raises(NotAllowed, match="Uma busca cancelada não pode passar a em andamento"):
        SESSION.move("cancelled", "running")


def test_a_refusal_is_a_sentence_in_portuguese():
    with pytest.raises(NotAllowed, match="Um lead bloqueado não pode passar a qualificado"):
        LEAD.move("blocked", "qualified")


def test_every_state_has_a_name_and_leads_only_to_states():
    assert set(LEAD.names) == set(LEAD.states)
    assert set(SESSION.names) == set(SESSION.states)
    assert all(targets <= set(LEAD.states) for targets in LEAD.moves.values())
    assert all(targets <= set(SESSION.states) for targets in SESSION.moves.values())


@pytest.mark.parametrize(
    ("state", "label", "path"),
    [
        ("in_cadence", "interested", ["replied"]),
        ("in_cadence", "no", ["replied", "not_interested"]),
        ("in_cadence", "later", ["replied", "later"]),
        ("in_cadence", "optout", ["blocked"]),
        ("in_cadence", "automatic", []),
        ("in_cadence", "bounce", []),
        ("qualified", "question", ["in_cadence", "replied"]),
        ("accepted", "interested", []),
        ("accepted", "no", ["not_interested"]),
        ("converted", "no", []),
        ("converted", "optout", ["blocked"]),
        ("blocked", "interested", []),
    ],
)
def test_an_answer_moves_a_lead_as_far_as_it_says(state, label, path):
    assert leads.after_reply(state, label) == path


@pytest.mark.parametrize(
    ("said", "day"),
    [
        (None, date(2026, 12, 23)),
        (date(2026, 11, 24), date(2026, 11, 24)),
        (date(2027, 11, 23), date(2027, 11, 23)),
        (date(2026, 11, 23), date(2026, 12, 23)),  # today is not later
        (date(2025, 3, 1), date(2026, 12, 23)),
        (date(2027, 11, 24), date(2026, 12, 23)),
        (date.max, date(2026, 12, 23)),
    ],
)
def test_later_is_the_day_that_was_named_within_a_year_else_in_a_month(said: date | None, day: date):
    assert leads.wakes_on(said, date(2026, 11, 23)) == day


@given(st.sampled_from(sorted(LEAD.states)), st.sampled_from(LABELS))
def test_whatever_is_answered_every_step_is_one_the_machine_allows(state, label):
    for following in leads.after_reply(state, label):
        state = LEAD.move(state, following)


@pytest.mark.parametrize("follow", [leads.after_acceptance, leads.after_deal, leads.after_sending])
def test_facts_that_come_late_or_twice_never_break_the_machine(follow):
    for state in LEAD.states:
        for following in follow(state):
            state = LEAD.move(state, following)
        assert follow(state) == [] or follow is leads.after_deal


def test_a_deal_converts_a_lead_even_when_its_acceptance_was_not_heard_yet():
    assert leads.after_deal("in_cadence") == ["replied", "accepted", "converted"]
    assert leads.after_deal("converted") == []
    assert leads.after_deal("blocked") == []


def test_no_way_leads_through_an_end():
    for start, goal in product(LEAD.states, LEAD.states):
        assert not {"duplicate", "blocked", "erased"} & set(LEAD.path(start, goal, leads.CLOSED)[:-1])
