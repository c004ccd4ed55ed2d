"""The last lines of each function, kept in memory for `faas-cli logs`."""

import asyncio
import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import AsyncIterator
from datetime import datetime
from multiprocessing.queues import SimpleQueue
from typing import Any

from somos.mesh import clock
from somos.mesh.log import bound
from somos.mesh.redaction import redact, redacted, trace_of

KEPT = 5_000
NAMESPACE = "openfaas-fn"


Line = dict[str, Any]
Sent = SimpleQueue[tuple[str, str]]


class Logs(logging.Handler):
    """A handler of the `somos` logger that remembers, and tells those who follow."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[Line] = deque(maxlen=KEPT)
        self._followers: dict[asyncio.Queue[Line | None], asyncio.AbstractEventLoop] = {}
        self._changing = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        fields = redact({**bound.get(), **getattr(record, "fields", {})})
        if function := fields.get("function"):
            pairs = " ".join(f"{name}={value}" for name, value in fields.items() if name != "function")
            error = record.exc_info[1] if record.exc_info else None
            trace = "\n" + trace_of(error) if error else ""
            self.note(str(function), f"{record.levelname} {record.getMessage()} {pairs}{trace}")

    def note(self, function: str, text: str) -> None:
        """Keep one line of a function. Called from any thread."""
        line = {
            "name": function,
            "namespace": NAMESPACE,
            "instance": f"local-{os.getpid()}",
            "timestamp": clock.now(),
            "text": redacted(text),
        }
        self._lines.append(line)
        for follower, loop in list(self._followers.items()):
            with contextlib.suppress(RuntimeError):  # its loop has ended
                loop.call_soon_threadsafe(_offer, follower, line)

    def last(self, function: str, tail: int = -1, since: datetime | None = None, instance: str = "") -> list[Line]:
        """Lines kept of a function, oldest first."""
        chosen = [line for line in list(self._lines) if _is_chosen(line, function, since, instance)]
        return chosen[-tail:] if tail >= 0 else chosen

    async def follow(self, function: str, instance: str = "") -> AsyncIterator[Line]:
        """Lines as they come, until the reader leaves."""
        mine: asyncio.Queue[Line | None] = asyncio.Queue(1_000)
        with self._changing:
            self._followers[mine] = asyncio.get_running_loop()
        try:
            while (line := await mine.get()) is not None:
                if _is_chosen(line, function, None, instance):
                    yield line
        finally:
            with self._changing:
                self._followers.pop(mine, None)

    def let_go(self) -> None:
        """End every `follow`."""
        for follower in list(self._followers):
            _offer(follower, None)


class SentLogs(Logs):
    """Those of a child process, for its parent to keep."""

    def __init__(self, sent: Sent) -> None:
        super().__init__()
        self._sent = sent

    def note(self, function: str, text: str) -> None:
        self._sent.put((function, text))


def shown(line: Line) -> Line:
    """As OpenFaaS's log API writes it."""
    return {**line, "timestamp": line["timestamp"].isoformat().replace("+00:00", "Z")}


def _is_chosen(line: Line, function: str, since: datetime | None, instance: str) -> bool:
    return (
        line["name"] == function
        and (since is None or line["timestamp"] >= since)
        and (not instance or line["instance"] == instance)
    )


def _offer(follower: "asyncio.Queue[Line | None]", line: Line | None) -> None:
    with contextlib.suppress(asyncio.QueueFull):  # a reader that lags loses lines, nobody waits for it
        follower.put_nowait(line)
