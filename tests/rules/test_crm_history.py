"""The stage history: whatever the moves, durations add up to the age of the deal."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from somos.modules.crm.rules import deal_stage_history as history
from somos.modules.crm.rules.deal_stage_history import Span

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
STAGES = [uuid4() for _ in range(4)]

moves = st.lists(
    st.tuples(st.sampled_from(STAGES), st.sampled_from(["open", "won", "lost"]), st.integers(-3_600, 90 * 86_400)),
    max_size=30,
)


@given(moves, st.integers(0, 10**7))
def test_durations_sum_to_the_age_whatever_the_moves(steps, wait):
    now = START
    spans = history.enter([], STAGES[0], "open", now)
    for stage, state, seconds in steps:
        now += timedelta(seconds=seconds)
        spans = history.enter(spans, stage, state, now)
        assert history.is_unbroken(spans)
    end = max(now, spans[-1].entered_at) + timedelta(seconds=wait)
    total = sum((history.duration(s.entered_at, s.left_at, end) for s in spans), timedelta())
    assert total == end - START


def test_entering_the_same_stage_again_changes_nothing():
    spans = history.enter([], STAGES[0], "open", START)
    assert history.enter(spans, STAGES[0], "open", START + timedelta(days=3)) == spans


def test_a_gap_and_an_overlap_are_seen():
    day = timedelta(days=1)
    gap = [Span(STAGES[0], "open", START, START + day), Span(STAGES[1], "open", START + 2 * day)]
    overlap = [Span(STAGES[0], "open", START, START + 2 * day), Span(STAGES[1], "open", START + day)]
    assert not history.is_unbroken(gap)
    assert not history.is_unbroken(overlap)
    assert not history.is_unbroken([])


def test_the_badge_counts_from_entering_the_stage():
    assert history.days_in_stage(START, START + timedelta(days=9, hours=23)) == 9
    assert not history.is_stale(START, 10, START + timedelta(days=10))
    assert history.is_stale(START, 10, START + timedelta(days=10, seconds=1))
    assert not history.is_stale(START, None, START + timedelta(days=900))
