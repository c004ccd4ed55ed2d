"""Finds what tells the time beside the one clock."""

import ast
import re
from collections.abc import Iterator

from somos.settings import ROOT

FOLDERS = ("functions", "shared", "gateway", "infra", "tests", "templates", "scripts")
INSTEAD = "ask somos.mesh.clock (ctx.now, ctx.today; infra.sandbox.clock in the sandbox), which can be set"

# Whole folders where real machines, servers and processes keep the machine's time.
REAL_MACHINES = (
    "tests/bench/",
    "tests/chaos/",
    "tests/deploy/",
    "shared/somos/migrations/versions/",  # what stands there is never edited
)
# The places that may ask another clock, and why.
ALLOWED = {
    "shared/somos/mesh/clock.py": "the one clock itself",
    "infra/sandbox/clock.py": "the outside world's own; it may not import ours",
    "shared/somos/mesh/tables.py": "the server default of rows that an operator writes by hand",
    "shared/somos/mesh/records.py": "the audit trail is dated by the database, so that no caller can date it",
    "shared/somos/mesh/audit.py": "the database forgets what it dated, so that no caller can have it forgotten early",
    "tests/mesh/test_audit.py": "rows of the trail, dated as the database dates them",
    "shared/somos/adapters/gate.py": "how often a provider is called is a duration, measured by Redis for all workers",
    "tests/harness/units.py": "a unit under test that was told no time",
    "tests/contract/clocks.py": "this list",
    "tests/contract/test_one_clock.py": "what the rule is tried on",
}

_MODULES = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime", "clock_gettime"},
    "datetime": {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"},
    "email.utils": {"formatdate", "localtime"},
    "sqlalchemy": {
        "func.now", "func.current_date", "func.current_time", "func.current_timestamp", "func.localtime",
        "func.localtimestamp", "func.clock_timestamp", "func.statement_timestamp", "func.transaction_timestamp",
        "func.timeofday", "func.sysdate",
    },
}  # fmt: skip
REFUSED = {f"{module}.{name}" for module, names in _MODULES.items() for name in names}
_IN_TEXT = re.compile(
    r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(\s*\)"
    r"|\b(?:current_date|current_time|current_timestamp|localtimestamp)\b"
    r"|\bredis\.call\(\s*'TIME'|\b(?:datetime|date|julianday|unixepoch)\(\s*'now'",
    re.IGNORECASE,
)


# Most files mention none of it: they need not be parsed.
_MENTIONED = re.compile(
    rf"\bimport time\b|\bfrom time\b|\b(?:{'|'.join({name.split('.')[-1] for name in REFUSED} - {'time'})})\b"
    rf"|{_IN_TEXT.pattern}",
    re.IGNORECASE,
)


def sources() -> Iterator[tuple[str, str]]:
    """Every Python file of ours that must keep to the clock: its path in the repository, and its text."""
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            path = str(file.relative_to(ROOT))
            if path not in ALLOWED and not path.startswith(REAL_MACHINES):
                yield path, file.read_text()


_IN_PAGE = re.compile(r"\bDate\.now\b|\bDate\(\s*\)|\bnew Date\b(?!\s*\()")


def page_clocks(script: str) -> list[str]:
    """Where a page's script asks the browser's clock; durations are `performance.now()`, times the server's."""
    return _IN_PAGE.findall(script)


def clocks(source: str) -> list[tuple[int, str]]:
    """Line and name of each other clock that a file calls, hands on as a function, or writes into SQL."""
    if not _MENTIONED.search(source):
        return []
    tree = ast.parse(source)
    known = dict(_imported(tree))
    documentation = {id(node.body[0].value) for node in ast.walk(tree) if _is_documented(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and (name := _full_name(node, known)) in REFUSED:
            found.append((node.lineno, name))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            found += [(node.lineno, match[0]) for match in _IN_TEXT.finditer(node.value)]
    return sorted(found)


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """What a name of the file stands for: `dt` -> `datetime`, `sleep` -> `time.sleep`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                whole = one.name if one.asname else one.name.split(".")[0]
                yield one.asname or whole, whole
        elif isinstance(node, ast.ImportFrom) and node.module:
            module = "sqlalchemy" if node.module.startswith("sqlalchemy") else node.module
            yield from ((one.asname or one.name, f"{module}.{one.name}") for one in node.names)


def _full_name(node: ast.Attribute | ast.Name, known: dict[str, str]) -> str:
    parts: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    begin = known.get(inner.id, "") if isinstance(inner, ast.Name) else ""
    return ".".join([begin, *reversed(parts)])


def _is_documented(node: ast.AST) -> bool:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)


# Where a day is not one of an instant, or is taken on somebody's own calendar.
DAYS_ALLOWED = {
    "shared/somos/mesh/clock.py": "the one place that turns a moment into a day",
    "shared/somos/modules/sdr/rules/windows.py": "days on the receiver's own calendar",
    "shared/somos/modules/crm/rules/deals.py": "weekdays in São Paulo",
    "shared/somos/modules/crm/queries/forecast.py": "months of a column that holds days",
}
DAY_INSTEAD = "somos.mesh.clock.day_of(moment) is the day in São Paulo; the day in UTC is tomorrow from 21:00 on"


def utc_days(source: str) -> list[tuple[int, str]]:
    """Line and text of each day, weekday, month or hour taken of an instant that may still be in UTC."""
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
            if node.func.attr in ("date", "weekday", "isoweekday", "isocalendar") and not _is_local(node.func.value):
                found.append((node.lineno, ast.unparse(node)))
        elif isinstance(node, ast.Attribute) and node.attr in ("date_trunc", "date_part"):
            found.append((node.lineno, ast.unparse(node)))
        elif isinstance(node, ast.FormattedValue) and node.format_spec and not _is_local(node.value):
            if "%" in ast.unparse(node.format_spec):
                found.append((node.lineno, ast.unparse(node)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [(node.lineno, match[0]) for match in _DAY_IN_TEXT.finditer(node.value)]
    return found


_DAY_IN_TEXT = re.compile(r"::\s*date\b|\bdate_trunc\(|\bas date\)", re.IGNORECASE)
_DAYS = re.compile(r"\b(?:day|today|month)\b|_day$|\bday_of\b|\bastimezone\b", re.IGNORECASE)


def _is_local(node: ast.expr) -> bool:
    """It says of itself that it is a day, or that it is in a time zone."""
    return bool(_DAYS.search(ast.unparse(node)))
