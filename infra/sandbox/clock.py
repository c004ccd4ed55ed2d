"""The world's time. What it dates follows a clock that can be set; how long it waits is the machine's."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

_source: list[Callable[[], float]] = [time.time]


def now() -> float:
    """Seconds since the epoch, for whatever a receiver may read or check."""
    return _source[0]()


def machine() -> float:
    """Seconds since the epoch by the machine, for waits that must survive a restart."""
    return time.time()


def use(source: Callable[[], float]) -> Callable[[], float]:
    """Replace the clock of this process; returns the one before."""
    before = _source[0]
    _source[0] = source
    return before


def iso(at: float) -> str:
    """The form providers print times in: UTC with milliseconds and a Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
