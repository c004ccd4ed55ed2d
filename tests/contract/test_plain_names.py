"""Names say what a thing is: log events and metrics are words joined by underscores."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from somos.settings import ROOT

WRITTEN = ("functions", "gateway", "infra", "shared", "templates")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "ended"}
METRICS = {"Counter", "Gauge", "Histogram", "Summary", "GaugeMetricFamily", "CounterMetricFamily", "_family"}
WORDS = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")
# What has no fields of its own (the sandbox imports nothing of ours) writes them behind the event.
FIELDS = re.compile(r"( [a-z_]+=%s)*$")


@cache
def sources() -> dict[str, ast.Module]:
    files = (file for folder in WRITTEN for file in sorted((ROOT / folder).rglob("*.py")))
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text()) for file in files}


def first_words() -> Iterator[tuple[str, str, str]]:
    """(place, what is called, its first argument where that is a text)."""
    for file, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                word = node.args[0].value
                if isinstance(word, str):
                    yield f"{file}:{node.lineno}", ast.unparse(node.func), word


def test_every_log_event_is_words_joined_by_underscores():
    events = {
        place: FIELDS.sub("", word)
        for place, called, word in first_words()
        if called.rpartition(".")[2] in LEVELS and re.search(r"\blog(ger)?$", called.rpartition(".")[0])
    }
    assert len(events) > 40
    assert {place: event for place, event in events.items() if not WORDS.fullmatch(event)} == {}


def test_every_metric_is_words_joined_by_underscores():
    metrics = {place: word for place, called, word in first_words() if called.rpartition(".")[2] in METRICS}
    assert metrics
    assert {place: name for place, name in metrics.items() if not WORDS.fullmatch(name)} == {}
