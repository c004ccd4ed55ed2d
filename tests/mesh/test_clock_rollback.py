"""A clock that is set back freezes nothing, doubles nothing, and is told."""

from datetime import timedelta

import pytest

from somos.mesh import outbox
from somos.mesh.outbox import Claim
from somos.mesh.queues import QUEUES
from somos.mesh.relay import Relay
from tests.harness.mesh import Mesh


@pytest.fixture
def relay(toys: Mesh) -> Relay:
    made = Relay(toys.runtime)
    made.turn()
    return made


def note(toys: Mesh, **more: object) -> None:
    toys.call("POST /toys/notes", {"text": "oi", **more}, as_=toys.person("Diretor")).ok()


def due(toys: Mesh) -> list[Claim]:
    engine, routes = toys.runtime.engine, toys.runtime.routes
    outbox.fan_out(engine, routes)
    return [claim for queue in QUEUES for claim in outbox.claim(engine, queue, 50)]


def watched(toys: Mesh, relay: Relay, seconds: int) -> None:
    """So many seconds go by with a relay that looks."""
    for _ in range(0, seconds, 5):
        toys.advance(seconds=5)
        relay.turn()


@pytest.mark.parametrize("hours", [0.02, 1, 26])
def test_what_was_due_at_once_does_not_wait_for_the_old_time(toys: Mesh, relay: Relay, hours: float) -> None:
    note(toys)
    relay.turn()  # fanned out, due by the old time
    toys.advance(hours=-hours)
    watched(toys, relay, 30)
    assert len(due(toys)) == 1


def test_a_retry_keeps_what_was_left_of_its_wait(toys: Mesh, relay: Relay) -> None:
    note(toys)
    [claim] = due(toys)
    outbox.put_back(toys.runtime.engine, claim, "later", timedelta(minutes=20))
    toys.advance(hours=-1)
    watched(toys, relay, 60)
    assert due(toys) == []
    toys.advance(minutes=20)
    assert len(due(toys)) == 1


def test_what_a_dead_worker_held_is_free_soon(toys: Mesh, relay: Relay) -> None:
    note(toys)
    [held] = due(toys)
    toys.advance(hours=-1)
    watched(toys, relay, 40)
    [again] = due(toys)
    assert (again.id, again.attempts) == (held.id, 2)


def test_a_living_worker_keeps_what_it_holds(toys: Mesh, relay: Relay) -> None:
    note(toys)
    [held] = due(toys)
    toys.advance(hours=-1)
    for _ in range(20):
        outbox.renew(toys.runtime.engine, [held])
        watched(toys, relay, 5)
        assert due(toys) == []


def test_what_was_stated_for_a_later_hour_stays_there(toys: Mesh, relay: Relay) -> None:
    note(toys, after_s=3600)
    relay.turn()
    toys.advance(hours=-1)
    watched(toys, relay, 30)
    assert due(toys) == []
    toys.advance(hours=2)
    assert len(due(toys)) == 1


def test_a_relay_that_was_down_meanwhile_notices_too(toys: Mesh, relay: Relay) -> None:
    note(toys)
    relay.turn()
    toys.advance(hours=-1)
    watched(toys, Relay(toys.runtime), 30)
    assert len(due(toys)) == 1


def test_a_step_of_some_seconds_is_not_worth_noticing(toys: Mesh, relay: Relay) -> None:
    toys.advance(seconds=-20)
    watched(toys, relay, 60)
    assert toys.one("select count(*) from mesh.heartbeats where part = 'before-rollback'") == 0
