"""Where a deal has been: an unbroken row of spans, so the time in each stage adds up to the deal's age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a deal stood in a stage and a state; the last one is still running."""

    stage_id: UUID
    state: str
    entered_at: datetime
    left_at: datetime | None = None


def enter(spans: Sequence[Span], stage_id: UUID, state: str, now: datetime) -> list[Span]:
    """Close the running span and start another at the same instant. The same place again changes nothing."""
    if not spans:
        return [Span(stage_id, state, now)]
    last = spans[-1]
    if (last.stage_id, last.state) == (stage_id, state):
        return list(spans)
    at = max(now, last.entered_at)  # a clock set back never makes a span of negative length
    return [*spans[:-1], Span(last.stage_id, last.state, last.entered_at, at), Span(stage_id, state, at)]


def is_unbroken(spans: Sequence[Span]) -> bool:
    """No gap, no overlap, only the last one running."""
    pairs = pairwise(spans)
    return (
        bool(spans)
        and spans[-1].left_at is None
        and all(before.left_at == after.entered_at >= before.entered_at for before, after in pairs)
    )


def duration(entered_at: datetime, left_at: datetime | None, now: datetime) -> timedelta:
    """How long a span lasted, or lasts until now."""
    return max((left_at or now) - entered_at, timedelta())


def days_in_stage(entered_at: datetime, now: datetime) -> int:
    """Whole days since the deal entered its present stage, not since it was created."""
    return duration(entered_at, None, now).days


def is_stale(entered_at: datetime, max_days: int | None, now: datetime) -> bool:
    """Longer in the stage than the stage allows."""
    return max_days is not None and duration(entered_at, None, now) > timedelta(days=max_days)
