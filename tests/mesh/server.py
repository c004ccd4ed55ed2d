"""A PostgreSQL that a test may kill."""

import signal
from pathlib import Path

from tests.harness.engines import start_postgres


class Server:
    """A PostgreSQL of this test's own, on one port for its whole life."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = start_postgres(folder, durable=False)
        self.url, self.owner_url = self._running.url, self._running.owner_url

    def kill(self) -> None:
        self._running.process.send(signal.SIGKILL)
        assert self._running.child is not None
        self._running.child.wait()

    def start(self) -> None:
        self._running = start_postgres(self._folder, durable=False, port=self._running.port)

    def stop(self) -> None:
        self._running.stop()
