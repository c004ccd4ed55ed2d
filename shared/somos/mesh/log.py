"""JSON logs on stderr: an event name and fields; ids, never personal data or secrets."""

import json
import logging
import sys
import threading
from contextvars import ContextVar
from typing import Any

from somos.mesh.redaction import redact, redacted, trace_of

bound: ContextVar[dict[str, Any]] = ContextVar("log", default={})  # noqa: B039  (never mutated, only replaced)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}",
            "level": record.levelname.lower(),
            "event": redacted(record.getMessage()),
            **redact({**bound.get(), **getattr(record, "fields", {})}),
        }
        if record.exc_info and record.exc_info[1]:
            line["trace"] = trace_of(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=False)


class Log:
    """`log.info("lead_scored", lead_id=...)`."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("somos")

    def info(self, event: str, **fields: Any) -> None:
        self._logger.info(event, extra={"fields": fields})

    def warning(self, event: str, **fields: Any) -> None:
        self._logger.warning(event, extra={"fields": fields})

    def error(self, event: str, **fields: Any) -> None:
        self._logger.error(event, extra={"fields": fields})

    def exception(self, event: str, **fields: Any) -> None:
        self._logger.exception(event, extra={"fields": fields})

    def ended(self, event: str, error: BaseException | None) -> None:
        """Of what nobody caught."""
        self._logger.critical(event, exc_info=error)


log = Log()


def configure(level: str = "INFO") -> None:
    """Send the process's logs to stderr as JSON lines, and with them what ends the process or one of its threads."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    sys.excepthook = lambda _kind, error, _trace: log.ended("process_crashed", error)
    threading.excepthook = lambda crash: log.ended("thread_crashed", crash.exc_value)
