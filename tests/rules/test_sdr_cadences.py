"""Cadences: what may be published, and which step comes next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.modules.sdr.rules.cadences import History, Step, after_stop, due_step, following, problems

QUIET, OPENED = History(opened=False), History(opened=True)
STEPS = (
    Step(1, "whatsapp"),
    Step(2, "email", 48, "opened", else_step=4),
    Step(3, "email", 24),
    Step(4, "whatsapp", 24, "not_replied"),
    Step(5, "whatsapp", 0, "replied"),
    Step(6, "whatsapp", 0, "bounced"),
)


def test_a_sound_cadence_can_be_published():
    assert problems(STEPS) == []


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (Step(2, "email"),),
        (Step(1, "email"), Step(3, "email")),
        (Step(1, "email", condition="opened"),),
        (Step(1, "email"), Step(2, "email", condition="opened", else_step=2)),
        (Step(1, "email"), Step(2, "email", condition="opened", else_step=1)),
        (Step(1, "email"), Step(2, "email", condition="opened", else_step=9)),
        (Step(1, "email"), Step(2, "email", else_step=3), Step(3, "email")),
        tuple(Step(n, "email") for n in range(1, 22)),
    ],
)
def test_a_cadence_that_loops_skips_or_never_starts_is_refused(steps):
    assert problems(steps)


def test_the_branch_follows_what_the_person_did():
    assert due_step(STEPS, 2, OPENED).step_no == 2
    assert due_step(STEPS, 2, QUIET).step_no == 4


def test_steps_for_a_reply_or_a_bounce_wait_for_theirs():
    assert following(STEPS, 4) is None
    assert after_stop(STEPS, "replied", 1).step_no == 5
    assert after_stop(STEPS, "bounced", 2).step_no == 6
    assert after_stop(STEPS[:4], "replied", 1) is None


@st.composite
def cadences(draw):
    count = draw(st.integers(1, 12))
    steps = [Step(1, "email")]
    for number in range(2, count + 1):
        condition = draw(st.sampled_from(["always", "opened", "not_opened", "not_replied", "replied", "bounced"]))
        can_branch = condition in ("opened", "not_opened", "not_replied") and number < count
        target = draw(st.none() | st.integers(number + 1, count)) if can_branch else None
        steps.append(Step(number, "email", 0, condition, target))
    return tuple(steps)


@given(cadences(), st.booleans())
def test_every_cadence_ends(steps, opened):
    assert problems(steps) == []
    done, number = [], 1
    while step := due_step(steps, number, History(opened)):
        done.append(step.step_no)
        following_step = following(steps, step.step_no)
        if following_step is None:
            break
        number = following_step.step_no
    assert done == sorted(set(done))
