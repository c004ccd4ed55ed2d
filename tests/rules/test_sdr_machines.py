"""The machines of outreach: nothing unlisted happens, receipts never go back, terminal states stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel.refusals import NotAllowed
from somos.modules.sdr.rules.machines import (
    APPROVAL,
    CANCELLABLE,
    ENROLMENT,
    LEFT,
    LIVE_ENROLMENTS,
    MESSAGE,
    NEEDS_APPROVAL,
    after_receipt,
)

RECEIPTS = ["sent", "delivered", "read", "failed"]


@pytest.mark.parametrize("machine", [MESSAGE, ENROLMENT, APPROVAL])
def test_a_machine_only_leads_to_states_it_knows(machine):
    assert {target for targets in machine.moves.values() for target in targets} <= set(machine.states)


@given(st.sampled_from(MESSAGE.states), st.sampled_from(MESSAGE.states))
def test_a_transition_that_is_not_listed_is_refused(state, to):
    if to in MESSAGE.moves[state]:
        assert MESSAGE.move(state, to) == to
    else:
        with pytest.raises(NotAllowed):
            MESSAGE.move(state, to)


@given(st.lists(st.sampled_from(RECEIPTS)))
def test_receipts_in_any_order_never_go_back(receipts):
    rank = {"sent": 1, "delivered": 2, "read": 3, "failed_permanent": 4}
    state = "sent"
    for receipt in receipts:
        after = after_receipt(state, receipt)
        assert rank[after] >= rank[state]
        state = after


@given(st.permutations(["sent", "delivered", "read"]), st.integers(1, 3))
def test_receipts_repeated_and_reordered_end_the_same(receipts, times):
    state = "sent"
    for receipt in receipts * times:
        state = after_receipt(state, receipt)
    assert state == "read"


@given(st.sampled_from(MESSAGE.states), st.sampled_from(RECEIPTS))
def test_a_receipt_only_moves_what_was_sent(state, receipt):
    if state not in ("sent", "delivered", "read", "sending") or (state == "sending" and receipt != "failed"):
        assert after_receipt(state, receipt) == state


def test_nothing_reaches_sending_without_passing_through_approved():
    reached, todo = {"drafted"}, ["drafted"]
    while todo:
        for target in MESSAGE.moves[todo.pop()] - {"approved"}:
            if target not in reached:
                reached.add(target)
                todo.append(target)
    assert not reached & set(NEEDS_APPROVAL)


@pytest.mark.parametrize("state", ["rejected", "cancelled", "failed_permanent"])
def test_an_ended_message_stays_ended(state):
    assert not MESSAGE.moves[state]


def test_a_message_that_may_have_left_is_not_cancelled_by_a_reply():
    assert not set(CANCELLABLE) & set(LEFT)
    assert all("cancelled" in MESSAGE.moves[state] for state in CANCELLABLE)


def test_a_stopped_enrolment_never_lives_again():
    stopped = [state for state in ENROLMENT.states if state.startswith("stopped")]
    assert stopped
    assert not any(ENROLMENT.moves[state] for state in stopped)
    assert all("stopped_optout" in ENROLMENT.moves[state] for state in LIVE_ENROLMENTS)


def test_a_decided_approval_is_decided_for_ever():
    assert all(not targets for state, targets in APPROVAL.moves.items() if state != "pending")
