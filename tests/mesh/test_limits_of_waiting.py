"""No statement of the application runs or waits for ever, and what was cut short is said as something to do."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from somos.mesh import cancellation
from somos.mesh.database import Acting, engine_for, transaction
from somos.mesh.declare import registry
from somos.mesh.dispatch import _translate
from somos.policy.principals import SYSTEM
from tests.harness.mesh import Mesh

SHOWN = text("select current_setting('statement_timeout'), current_setting('lock_timeout')")


def test_the_application_is_limited_and_who_migrates_is_not(database_urls: tuple[str, str]) -> None:
    for url, limits in zip(database_urls, [("15s", "5s"), ("0", "0")], strict=True):
        engine = engine_for(url, pool_size=1)
        with engine.connect() as connection:
            assert tuple(connection.execute(SHOWN).one()) == limits
        engine.dispose()


def test_a_report_may_take_longer_and_only_while_it_does(mesh: Mesh, engine: Engine) -> None:
    reports = {endpoint.path: endpoint.patience for function in registry.values() for endpoint in function.endpoints}
    assert reports["/api/v1/deals/stage-report"] == 60
    assert reports["/api/v1/deals"] is None
    for patience, told in ((60, "1min"), (None, "15s")):
        with transaction(engine, Acting(SYSTEM, "test", patience=patience)) as db:
            assert db.execute(SHOWN).one()[0] == told


@pytest.mark.parametrize(
    ("limit", "statement", "status", "code"),
    [
        ("statement_timeout = '5ms'", "select pg_sleep(10)", 503, "too-slow"),
        ("lock_timeout = '5ms'", "select pg_advisory_xact_lock(5060)", 409, "lost-race"),
    ],
)
def test_what_was_cut_short_is_a_problem_that_says_when_to_come_back(
    mesh: Mesh, engine: Engine, limit: str, statement: str, status: int, code: str
) -> None:
    with engine.connect() as holder, engine.connect() as connection:
        holder.execute(text("select pg_advisory_xact_lock(5060)"))
        connection.execute(text(f"set local {limit}"))
        with pytest.raises(DBAPIError) as cut:
            connection.execute(text(statement))
    problem = _translate(cut.value)
    assert (problem.status, problem.code) == (status, code)
    assert int(problem.headers["Retry-After"]) > 0


def test_nothing_is_cancelled_for_work_that_is_done(engine: Engine) -> None:
    with engine.connect() as connection:
        assert cancellation.cancel_statements(lambda: None) == 0
        assert connection.execute(text("select 1")).scalar() == 1
