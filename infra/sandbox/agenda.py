"""What will happen and when: one thread that sleeps until the next thing is due."""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

from infra.sandbox.clock import machine
from infra.sandbox.state import State

log = logging.getLogger(__name__)
Job = Callable[[dict[str, Any]], None]
WORKERS = 8


class Agenda:
    """Entries live in the state, so a restart picks up where the world stopped."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._running: set[int] = set()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def register(self, kind: str, job: Job) -> None:
        self._jobs[kind] = job

    def add(self, kind: str, after_s: float, **payload: Any) -> None:
        self._state.insert("agenda", due_at=machine() + max(0.0, after_s), kind=kind, payload=json.dumps(payload))
        self._state.after_commit(self._wake)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name="sandbox-agenda", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join(timeout=5)
        with self._changed:
            # Daemon threads: a receiver that never answers must not keep the sandbox from stopping.
            self._changed.wait_for(lambda: not self._running, timeout=2)

    def idle(self, timeout_s: float) -> bool:
        """Wait until nothing is planned and nothing runs; False when that takes longer than told."""
        with self._changed:
            return self._changed.wait_for(self._nothing_left, timeout_s)

    def planned(self) -> int:
        row = self._state.one("SELECT count(*) AS n FROM agenda")
        return int(row["n"]) if row else 0

    def _nothing_left(self) -> bool:
        return not self._running and self.planned() == 0

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _loop(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                wait_s = self._launch_due()
                # A full house is woken by whoever finishes; an empty agenda by whoever adds.
                self._changed.wait(wait_s)

    def _launch_due(self) -> float | None:
        """Start what is due; answers in how many seconds to look again (None: when woken)."""
        rows = self._state.rows("SELECT id, due_at, kind, payload FROM agenda ORDER BY due_at, id LIMIT 200")
        for row in rows:
            if row["id"] in self._running:
                continue
            if len(self._running) >= WORKERS:
                return None
            wait_s: float = row["due_at"] - machine()
            if wait_s > 0:
                return wait_s
            self._running.add(row["id"])
            arguments = (row["id"], row["kind"], json.loads(row["payload"]))
            threading.Thread(target=self._run, args=arguments, name=f"sandbox-{row['kind']}", daemon=True).start()
        return None

    def _run(self, entry: int, kind: str, payload: dict[str, Any]) -> None:
        try:
            self._jobs[kind](payload)
            self._state.run("DELETE FROM agenda WHERE id = ?", entry)
        except sqlite3.ProgrammingError:
            log.info("agenda_entry_interrupted kind=%s", kind)  # the entry stays for the next start
        except Exception:
            log.exception("agenda_entry_failed kind=%s", kind)
            self._state.run("DELETE FROM agenda WHERE id = ?", entry)
        finally:
            with self._changed:
                self._running.discard(entry)
                self._changed.notify_all()
