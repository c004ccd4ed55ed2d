"""A claim is held while it is worked on, and is free again soon after its worker died."""

from datetime import timedelta

import pytest

from somos.mesh import clock, outbox
from somos.mesh.leases import LEASE
from somos.mesh.outbox import Claim
from somos.mesh.queues import QUEUES
from tests.harness.mesh import Mesh
from tests.mesh.toys.outside import NothingHappened, ToyPostman


def _claimed(toys: Mesh) -> Claim:
    toys.call("POST /toys/notes", {"text": "oi"}, as_=toys.person("Diretor")).ok()
    [claim] = _due(toys)
    return claim


def _due(toys: Mesh) -> list[Claim]:
    engine, routes = toys.runtime.engine, toys.runtime.routes
    outbox.fan_out(engine, routes)
    return [claim for queue in QUEUES for claim in outbox.claim(engine, queue, 10)]


@pytest.mark.any_day
def test_what_a_dead_worker_held_comes_due_when_its_lease_ends(toys: Mesh) -> None:
    claim = _claimed(toys)
    toys.time += LEASE - timedelta(seconds=1)
    assert _due(toys) == []
    toys.advance(seconds=2)
    [again] = _due(toys)
    assert (again.id, again.attempts) == (claim.id, 2)


@pytest.mark.any_day
def test_a_renewed_claim_stays_with_its_worker(toys: Mesh) -> None:
    claim = _claimed(toys)
    for _ in range(5):
        toys.advance(seconds=8)
        outbox.renew(toys.runtime.engine, [claim])
        assert _due(toys) == []
    assert claim.due_at == clock.now() + LEASE


def test_a_claim_that_went_to_another_worker_is_not_renewed(toys: Mesh) -> None:
    claim = _claimed(toys)
    toys.advance(seconds=11)
    [theirs] = _due(toys)
    outbox.renew(toys.runtime.engine, [claim])
    assert toys.one("select due_at from mesh.deliveries") == theirs.due_at


def test_a_delivery_that_was_put_off_is_not_pulled_forward_by_a_renewal(toys: Mesh, postman: ToyPostman) -> None:
    claim = _claimed(toys)
    busy = NothingHappened()
    busy.retry_after = 3600.0
    postman.trouble = [busy]
    toys.deliver(claim)
    put_off = toys.one("select due_at from mesh.deliveries where state = 'due'")
    assert put_off == clock.now() + timedelta(hours=1)
    outbox.renew(toys.runtime.engine, [claim])
    assert toys.one("select due_at from mesh.deliveries where state = 'due'") == put_off


def test_what_never_reached_the_gateway_is_due_again_and_no_attempt_is_spent(toys: Mesh) -> None:
    claim = _claimed(toys)
    outbox.put_back(toys.runtime.engine, claim, "connection refused", timedelta(seconds=1))
    assert _due(toys) == []
    toys.advance(seconds=1)
    [again] = _due(toys)
    assert again.attempts == 1


def test_a_failure_told_after_the_lease_went_to_another_changes_nothing(toys: Mesh) -> None:
    claim = _claimed(toys)
    toys.advance(seconds=11)
    [theirs] = _due(toys)
    assert outbox.fail(toys.runtime.engine, claim, "late") is None
    assert toys.one("select due_at from mesh.deliveries") == theirs.due_at
