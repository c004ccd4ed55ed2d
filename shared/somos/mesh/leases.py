"""Leases are short and renewed while the work goes on: what a dead process held is free again soon."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Generic, TypeVar

from somos.mesh.log import log

LEASE = timedelta(seconds=10)

T = TypeVar("T")


class Leases(Generic[T]):
    """What this process works on. Its thread lives only while there is something to renew."""

    def __init__(self, renew: Callable[[list[T]], None], lease: timedelta = LEASE) -> None:
        self._renew = renew
        self._every = lease.total_seconds() / 3
        self._leased: dict[int, T] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def holding(self, thing: T) -> Iterator[None]:
        """Renew the lease of `thing` while the block runs."""
        with self._lock:
            self._leased[id(thing)] = thing
            if self._thread is None or not self._thread.is_alive():  # a forked child has no threads
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._leased[id(thing)]

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._every):
            with self._lock:
                if not self._leased:
                    self._thread = None
                    return
                leased = list(self._leased.values())
            try:
                self._renew(leased)
            except Exception as error:
                # The database is away; if it stays away the lease ends, and another attempt takes over.
                log.warning("lease_not_renewed", error=type(error).__name__)
