"""Cancels a thread's running statements in PostgreSQL once nobody waits for their result any more."""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

# Which thread has each connection; those of them that are not to be used again.
_connections: dict[ConnectionPoolEntry, int] = {}
_to_close: set[ConnectionPoolEntry] = set()
_lock = threading.Lock()


def track_connections(engine: Engine) -> None:
    """Know which thread has which connections of this engine."""

    @event.listens_for(engine, "checkout")
    def on_checkout(_raw: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        with _lock:
            _connections[record] = threading.get_ident()

    @event.listens_for(engine, "checkin")
    def on_checkin(_raw: Any, record: ConnectionPoolEntry) -> None:
        with _lock:
            _connections.pop(record, None)
            is_to_close = record in _to_close
            _to_close.discard(record)
        if is_to_close:
            # A cancel that comes late must find nobody else's statement.
            record.invalidate()


def cancel_statements(thread: Callable[[], int | None]) -> int:
    """Cancel what the connections that a thread holds are running; how many. Each is closed when it returns to the
    pool, so that what comes next over it is cancelled by nobody.

    `thread` returns its identity, or None when the work is done; it is called while no connection can change hands.
    """
    with _lock:
        ident = thread()
        records = [record for record, holder in _connections.items() if holder == ident]
        _to_close.update(records)
    running = [record.dbapi_connection for record in records if record.dbapi_connection is not None]
    for raw in running:
        raw.cancel()
    return len(running)
