"""Ends what a thread asks of PostgreSQL once nobody waits for the answer any more."""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

# Which thread holds each connection; those of them that are not to be used again.
_held: dict[ConnectionPoolEntry, int] = {}
_spent: set[ConnectionPoolEntry] = set()
_lock = threading.Lock()


def follow(engine: Engine) -> None:
    """Know which thread holds which connections of this engine."""

    @event.listens_for(engine, "checkout")
    def taken(_raw: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        with _lock:
            _held[record] = threading.get_ident()

    @event.listens_for(engine, "checkin")
    def given_back(_raw: Any, record: ConnectionPoolEntry) -> None:
        with _lock:
            _held.pop(record, None)
            spent = record in _spent
            _spent.discard(record)
        if spent:
            # A cancel that comes late must find nobody else's statement.
            record.invalidate()


def free(thread: Callable[[], int | None]) -> int:
    """Cancel what the connections that a thread holds are running; how many were asked. Each is closed when it is given
    back, so that what comes next over it is cancelled by nobody.

    `thread` says which one, or None when the work is done; it is asked while no connection can change hands.
    """
    with _lock:
        asked = thread()
        held = [record for record, holder in _held.items() if holder == asked]
        _spent.update(held)
    running = [record.dbapi_connection for record in held if record.dbapi_connection is not None]
    for raw in running:
        raw.cancel()
    return len(running)
