"""Nothing tells the time but the one clock, which can be set to any day."""

import pytest

from somos.settings import ROOT
from tests.contract.clocks import ALLOWED, DAY_INSTEAD, DAYS_ALLOWED, INSTEAD, clocks, page_clocks, sources, utc_days


def test_nothing_else_tells_the_time() -> None:
    found = [f"{path}:{line} {name}" for path, source in sources() for line, name in clocks(source)]
    assert found == [], f"these ask another clock; {INSTEAD}"


def test_every_exception_is_still_one() -> None:
    assert [path for path in ALLOWED if not clocks((ROOT / path).read_text())] == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "import time as t\nexpires = t.time() + 1",
        "from time import time\ntime()",
        "from time import time_ns as nanoseconds\nnanoseconds()",
        "import time\nfield(default_factory=time.time)",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "import datetime as dt\ndt.date.today()",
        "from datetime import datetime as moment\nmoment.utcnow()",
        "def f():\n    from datetime import date\n    return date.today()",
        "from sqlalchemy import func\ncolumn < func.now()",
        "from sqlalchemy.sql import func\nfunc.current_date()",
        "sql = 'delete from t where at < now() - interval $$1 day$$'",
        "sql = f'select {x} where day = CURRENT_DATE'",
        "lua = \"redis.call('TIME')\"",
        "import email.utils\nemail.utils.formatdate()",
    ],
)
def test_another_clock_is_found_however_it_is_called(source: str) -> None:
    assert clocks(source)


@pytest.mark.parametrize(
    "source",
    [
        "import time\nbegan = time.monotonic()\nseconds = time.perf_counter() - began\ntime.sleep(0)",
        "from somos.mesh import clock\nclock.now()",
        "now()",
        "ctx.now",
        "from datetime import datetime\ndatetime.fromtimestamp(at, UTC)",
        '"""What now() gives is the transaction\'s begin."""',
        "sql = 'update t set at = :now'",
        "from datetime import date\nday: date = today",
    ],
)
def test_durations_and_the_clock_itself_are_not_refused(source: str) -> None:
    assert clocks(source) == []


def test_a_page_counts_from_the_servers_time_whatever_the_browsers_clock_says() -> None:
    scripts = sorted((ROOT / "gateway" / "local" / "page").glob("*.js"))
    assert len(scripts) > 5
    assert {script.name: asked for script in scripts if (asked := page_clocks(script.read_text()))} == {}


@pytest.mark.parametrize(
    ("script", "refused"),
    [
        ("Date.now() - at", True),
        ("[1].map(Date.now)", True),
        ("new Date().toISOString()", True),
        ("new Date", True),
        ("Date( )", True),
        ("new Date(at).toLocaleTimeString()", False),
        ("performance.now() - began", False),
        ("Date.parse(header)", False),
    ],
)
def test_the_browsers_clock_is_found_however_it_is_asked(script: str, refused: bool) -> None:
    assert bool(page_clocks(script)) is refused


def test_the_day_of_a_moment_is_the_one_in_sao_paulo() -> None:
    found = [
        f"{path}:{line} {text}"
        for path, source in sources()
        if path.startswith(("functions/", "shared/")) and path not in DAYS_ALLOWED
        for line, text in utc_days(source)
    ]
    assert found == [], DAY_INSTEAD


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("deal.created_at.date()", True),
        ("now.weekday()", True),
        ("f'{lead.last_contact_at:%d/%m/%Y}'", True),
        ("sql = 'select created_at::date'", True),
        ("func.date_trunc('month', Deal.created_at)", True),
        ("now.astimezone(SAO_PAULO).date()", False),
        ("day_of(deal.created_at)", False),
        ("f'{ctx.today:%d/%m/%Y}'", False),
        ("f'{day_of(at):%d/%m}'", False),
        ("f'{seconds:.1f}'", False),
    ],
)
def test_a_day_taken_in_utc_is_found(source: str, refused: bool) -> None:
    assert bool(utc_days(source)) is refused
