"""Everything the world remembers, in one SQLite file, so a restart forgets nothing."""

import hashlib
import json
import secrets
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS instances (
  name TEXT PRIMARY KEY, id TEXT NOT NULL, token TEXT NOT NULL, integration TEXT NOT NULL,
  state TEXT NOT NULL, number TEXT NOT NULL, webhook TEXT);
CREATE TABLE IF NOT EXISTS email_endpoints (
  id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, channel TEXT NOT NULL, sender TEXT NOT NULL,
  recipient TEXT NOT NULL, person TEXT, subject TEXT, text TEXT, html TEXT, headers TEXT NOT NULL,
  idempotency_key TEXT, status TEXT NOT NULL, extra TEXT NOT NULL, created_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS messages_by_recipient ON messages (channel, recipient);
CREATE TABLE IF NOT EXISTS statuses (message_id TEXT NOT NULL, status TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS statuses_by_message ON statuses (message_id);
CREATE TABLE IF NOT EXISTS inbound (
  id TEXT PRIMARY KEY, channel TEXT NOT NULL, person TEXT, sender TEXT NOT NULL, recipient TEXT NOT NULL,
  subject TEXT, text TEXT NOT NULL, extra TEXT NOT NULL, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS idempotency (
  key TEXT PRIMARY KEY, body_hash TEXT NOT NULL, response TEXT, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS people (id TEXT PRIMARY KEY, changes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answered (
  person TEXT NOT NULL, channel TEXT NOT NULL, at REAL NOT NULL, optout INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS agenda (
  id INTEGER PRIMARY KEY AUTOINCREMENT, due_at REAL NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS agenda_by_due ON agenda (due_at, id);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, event TEXT NOT NULL, key TEXT NOT NULL,
  url TEXT NOT NULL, headers TEXT NOT NULL, secret TEXT, body TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (
  delivery_id INTEGER NOT NULL, at REAL NOT NULL, status INTEGER, ms INTEGER NOT NULL, error TEXT);
CREATE INDEX IF NOT EXISTS attempts_by_delivery ON attempts (delivery_id);
CREATE TABLE IF NOT EXISTS calls (
  provider TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL,
  count INTEGER NOT NULL, PRIMARY KEY (provider, method, path, status));
CREATE TABLE IF NOT EXISTS faults (
  id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, method TEXT, path TEXT NOT NULL,
  remaining INTEGER NOT NULL, fault TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS searches (parameters TEXT PRIMARY KEY, id TEXT NOT NULL, created_at REAL NOT NULL);
"""

Row = dict[str, Any]


class State:
    """One connection, one lock: the world is small, and writes that belong together stay together."""

    def __init__(self, path: str = ":memory:", seed: int | None = None) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._after_commit: list[Callable[[], None]] = []
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        # A send that was cut off before it was stored did not happen: its key is free again.
        self._db.execute("DELETE FROM idempotency WHERE response IS NULL")
        if self.setting("seed") is None:
            self._sow(seed)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def reset(self, seed: int | None) -> None:
        """Forget everything but the shape of the tables."""
        with self.write():
            tables = self.rows("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'")
            for table in tables:
                self.run(f"DELETE FROM {table['name']}")
            self._sow(seed)

    def _sow(self, seed: int | None) -> None:
        # Without a seed the ids differ from run to run: a receiver that kept its own memory of an earlier
        # world must not take new events for old ones.
        self.set_setting("seed", secrets.randbits(48) if seed is None else seed)
        self.set_setting("serial", 0)

    @contextmanager
    def write(self) -> Iterator[None]:
        """One transaction; an inner `write` joins the outer one."""
        callbacks: list[Callable[[], None]] = []
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                    self._after_commit.clear()
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")
                callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            callback()

    def after_commit(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if self._depth:
                self._after_commit.append(callback)
                return
        callback()

    def rows(self, sql: str, *args: Any) -> list[Row]:
        with self._lock:
            return [dict(row) for row in self._db.execute(sql, args).fetchall()]

    def one(self, sql: str, *args: Any) -> Row | None:
        with self._lock:
            row = self._db.execute(sql, args).fetchone()
        return None if row is None else dict(row)

    def run(self, sql: str, *args: Any) -> int:
        """Execute one statement; answers how many rows it changed."""
        with self._lock:
            return self._db.execute(sql, args).rowcount

    def insert(self, table: str, **values: Any) -> int:
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        with self._lock:
            cursor = self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
            return cursor.lastrowid or 0

    def setting(self, name: str, default: Any = None) -> Any:
        row = self.one("SELECT value FROM settings WHERE name = ?", name)
        return default if row is None else json.loads(row["value"])

    def set_setting(self, name: str, value: Any) -> None:
        self.run("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", name, json.dumps(value))

    def serial(self) -> int:
        with self.write():
            number = int(self.setting("serial", 0)) + 1
            self.set_setting("serial", number)
            return number

    def token(self, kind: str, length: int = 32) -> str:
        """The next id of a kind, in hexadecimal: the same seed gives the same ids in the same order."""
        return hashlib.sha256(f"{self.setting('seed')}:{kind}:{self.serial()}".encode()).hexdigest()[:length]

    def new_uuid(self, kind: str) -> str:
        return str(uuid.UUID(self.token(kind), version=4))
