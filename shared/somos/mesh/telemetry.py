"""One trace across a whole chain: spans through OpenTelemetry's API, the trace carried by events."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace

tracer = trace.get_tracer("somos")


@contextmanager
def span(name: str, parent: str | None = None, **attributes: Any) -> Iterator[str | None]:
    """A span; yields its `traceparent`, or the parent's when no SDK is installed."""
    context = propagate.extract({"traceparent": parent}) if parent else None
    with tracer.start_as_current_span(name, context=context, attributes=attributes) as current:
        if not current.get_span_context().is_valid:
            yield parent
            return
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        yield carrier.get("traceparent", parent)
