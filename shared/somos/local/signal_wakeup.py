"""A sleep that ends at once when a child process dies or somebody asks this one to stop."""

import select
import signal
import socket
from types import TracebackType
from typing import Any, Self

_ASKS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalWakeup:
    """Takes over the signals while the block runs; `stop_requests` counts the requests to stop."""

    def __init__(self) -> None:
        self.stop_requests = 0

    def __enter__(self) -> Self:
        self._ours, self._theirs = socket.socketpair()
        for end in (self._ours, self._theirs):
            end.setblocking(False)
        self._before: dict[signal.Signals, Any] = {number: signal.signal(number, self._ask) for number in _ASKS}
        # Without a handler of Python's own, a child's death would wake nobody.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self._fd = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._fd)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()

    def sleep(self, seconds: float) -> None:
        if select.select([self._ours], [], [], seconds)[0]:
            self._ours.recv(4096)

    def _ask(self, _number: int, _frame: object) -> None:
        self.stop_requests += 1
