"""The platform's scheduler sends a ping: nothing more happens than what is due in this minute."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from somos.mesh.cron_pings import PING_LIMIT
from tests.harness.mesh import Answer, Mesh

PING = {"Ce-Type": "dev.knative.sources.ping", "Ce-Id": "1", "Ce-Specversion": "1.0", "Ce-Source": "/ping"}
CRON = {"X-Connector": "cron-connector", "X-Topic": "cron-function"}
NIGHT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def ping(mesh: Mesh, headers: dict[str, str]) -> Answer:
    return mesh.call("POST /", headers=headers)


def ticks(mesh: Mesh) -> list[str]:
    return [row["type"] for row in mesh.rows("select type from mesh.outbox where type like 'timer.%' order by type")]


@pytest.mark.parametrize("headers", [PING, CRON], ids=["pingsource", "cron-connector"])
def test_a_ping_lets_what_is_due_tick_once(mesh: Mesh, headers: dict[str, str]) -> None:
    mesh.time = NIGHT
    assert ping(mesh, headers).status == 202
    due = ticks(mesh)
    assert due
    ping(mesh, headers)
    assert sorted(f"timer.{function}" for function in mesh.tick()) == due
    assert ticks(mesh) == due


def test_a_ping_cannot_make_anything_tick_that_is_not_due(mesh: Mesh) -> None:
    due = {tick.function for tick in mesh.runtime.routes.ticks}
    mesh.time = NIGHT.replace(minute=1)
    ping(mesh, PING)
    assert len(ticks(mesh)) < len(due)


def test_pings_without_end_cost_no_more_and_cannot_silence_the_next_minute(mesh: Mesh) -> None:
    mesh.time = NIGHT.replace(minute=1)
    statements: list[str] = []
    engine = mesh.runtime.engine
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    for _ in range(PING_LIMIT.times):
        assert ping(mesh, CRON).status == 202
    statements.clear()
    for _ in range(50):
        assert ping(mesh, CRON).status == 202
    assert statements == []
    mesh.time = NIGHT + timedelta(days=1)
    ping(mesh, CRON)
    assert ticks(mesh)
