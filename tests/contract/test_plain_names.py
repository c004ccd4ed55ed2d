"""Names say what a thing is: of log events and metrics, and of modules, classes, functions and values."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

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


# -- words that name nothing

# Sentences without their subject, and pictures: whoever reads one has to look up what it is.
BANNED = {"found", "told", "said", "made", "wanted", "held", "asked", "heard"} | {
    *("bell", "ear", "knock", "walls", "zygote", "door", "beats", "freeing", "setback", "teller")
}
# Stored columns and fields of the API keep theirs: renaming one is a migration, and what it holds reads well there.
EXEMPT = {
    ("shared/somos/modules/crm/tables/imports.py", "made"): "column of crm.import_rows: what a row's import created",
    ("shared/somos/modules/crm/actions/imports.py", "made"): "the same column",
    ("shared/somos/modules/hunter/tables/leads.py", "held"): "column of hunter.leads: waits while its search pauses",
    ("shared/somos/modules/hunter/actions/lead_enrichment.py", "held"): "the same column",
    ("shared/somos/modules/hunter/actions/search_sessions.py", "held"): "the same column",
    ("shared/somos/modules/hunter/tables/search_sessions.py", "found"): "column of hunter.search_sessions: a count",
    ("shared/somos/modules/hunter/schemas/search_sessions.py", "found"): "the same count, a field of the API",
    ("shared/somos/modules/hunter/actions/search_sessions.py", "found"): "the same column",
    ("shared/somos/modules/hunter/actions/lead_imports.py", "found"): "the same column",
}


def names_bound(file: str, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every name that the file gives to a module, class, function, parameter, variable or field; and its line."""
    yield Path(file).stem, 1
    for node in ast.walk(tree):
        match node:
            case (
                ast.ClassDef(name=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.arg(arg=name)
            ):
                yield name, node.lineno
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, 1


def banned_names(files: Mapping[str, ast.Module]) -> dict[tuple[str, str], int]:
    """(file, word) and the line where it names something."""
    return {
        (file, name.strip("_").lower()): line
        for file, tree in files.items()
        for name, line in names_bound(file, tree)
        if name.strip("_").lower() in BANNED
    }


def test_no_module_class_function_or_variable_is_named_by_a_word_that_says_nothing():
    banned = banned_names(sources())
    assert {f"{file}:{line}": word for (file, word), line in banned.items() if (file, word) not in EXEMPT} == {}
    assert set(EXEMPT) <= set(banned), "an exemption that nothing needs any more"


def test_a_banned_name_is_seen_wherever_it_is_given():
    places = (
        "found = 1",
        "class Bell: ...",
        "def knock(): ...",
        "async def f(*, told): ...",
        "thing.held = 1",
        "[said for said in ()]",
        "(made := 1)",
        "import re as walls",
        "try: ...\nexcept E as asked: ...",
    )
    for source in places:
        assert banned_names({"shared/somos/a.py": ast.parse(source)}), source
    assert banned_names({"shared/somos/mesh/door.py": ast.parse("")})
    assert not banned_names({"shared/somos/a.py": ast.parse("found_rows = asked_at = 1; 'told'")})
