"""A child process for deliveries, forked when everything is loaded and before the first thread starts."""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue

from gateway.local.logs import Logs, Sent, SentLogs
from somos.local.addresses import LOOPBACK, reserved_port
from somos.mesh import unit
from somos.mesh.dispatch import Application
from somos.mesh.fork_server import end_with_parent
from somos.mesh.log import log
from somos.mesh.serve import server

THREADS = 32  # steps wait on models and providers


class StepsProcess:
    """The child: where it listens, and whether it lives."""

    def __init__(self, port: int, pid: int, sent: Sent) -> None:
        self.port = port
        self.pid: int | None = pid
        self._sent = sent

    @classmethod
    @contextlib.contextmanager
    def forked(cls, application: Application) -> Iterator["StepsProcess"]:
        """It lives until the block ends, or its parent, however that ends."""
        with reserved_port() as reserved:
            port = int(reserved.getsockname()[1])
            sent: Sent = SimpleQueue(ctx=get_context())
            pid = os.fork()
            if not pid:
                _live(application, port, sent)
            child = cls(port, pid, sent)
            try:
                yield child
            finally:
                child._end()

    def lives(self) -> bool:
        if self.pid is not None and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.pid = None
        return self.pid is not None

    def log_to(self, logs: Logs) -> None:
        """Keep what its functions log beside what those of this process do."""
        threading.Thread(target=self._log_to, args=(logs,), name="logs-of-steps", daemon=True).start()

    def _log_to(self, logs: Logs) -> None:
        while True:
            logs.note(*self._sent.get())

    def _end(self) -> None:
        if self.lives() and self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
            self.pid = None


def _live(application: Application, port: int, sent: Sent) -> None:
    code = 1
    try:
        end_with_parent()
        logging.getLogger("somos").addHandler(SentLogs(sent))
        unit.use(application)
        server(unit.wsgi, application, LOOPBACK, port, THREADS)()
        code = 0
    except BaseException:
        log.exception("steps_process_failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
