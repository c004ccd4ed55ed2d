"""What this process knows of ended sign-ins: read from the accounts at most once a second, whoever asks."""

import threading
import time
from collections.abc import Callable
from typing import Final

from somos.policy.ended_sessions import EndedSessions
from somos.policy.principals import Principal

PERIOD_S: Final = 1.0


class EndedSessionsCache:
    """Raises what `read` raises: whoever cannot ask lets nobody in."""

    def __init__(self, read: Callable[[], EndedSessions], seconds: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._seconds = seconds
        self._reading = threading.Lock()
        self._known = EndedSessions()
        self._read_at = float("-inf")

    def covers(self, principal: Principal) -> bool:
        """Whether the principal's access token opens nothing any more."""
        age = self._seconds() - self._read_at
        # While one thread reads, the others go by what was known, but for no more than another period.
        if age >= PERIOD_S and self._reading.acquire(blocking=age >= 2 * PERIOD_S):
            try:
                self._refresh()
            finally:
                self._reading.release()
        return self._known.covers(principal.id, principal.session_id, principal.issued_at)

    def invalidate(self) -> None:
        """Somebody's sign-in ends in this process: the next request reads."""
        self._read_at = float("-inf")

    def _refresh(self) -> None:
        began = self._seconds()
        if began - self._read_at < PERIOD_S:
            return  # another thread read while this one waited
        self._known = self._read()
        self._read_at = began
