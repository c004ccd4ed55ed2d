"""One trace across a whole chain: spans through OpenTelemetry's API, the trace carried by events."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


def span(name: str, parent: str | None = None, **attributes: Any) -> AbstractContextManager[str | None]:
    """A span; yields its `traceparent`, or the parent's when no SDK is installed."""
    return _span(name, parent, attributes) if _traced() else nullcontext(parent)


def _traced() -> bool:
    """Whoever installs an SDK loads the API, or names its provider for the API to load."""
    return "opentelemetry.trace" in sys.modules or "OTEL_PYTHON_TRACER_PROVIDER" in os.environ


@contextmanager
def _span(name: str, parent: str | None, attributes: dict[str, Any]) -> Iterator[str | None]:
    from opentelemetry import propagate

    context = propagate.extract({"traceparent": parent}) if parent else None
    with _tracer().start_as_current_span(name, context=context, attributes=attributes) as current:
        if not current.get_span_context().is_valid:
            yield parent
            return
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        yield carrier.get("traceparent", parent)


@cache
def _tracer() -> "Tracer":
    from opentelemetry import trace

    return trace.get_tracer("somos")
