"""The story, told while its parts die, its Redis forgets, its PostgreSQL stops, its supervisor is killed."""

import random
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from somos.local.processes import wait_for
from tests.chaos import truth
from tests.chaos.monkey import Monkey, plan
from tests.chaos.stack import START_S, STORY_S, Stack

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

# The story takes some two hundred deliveries, fewer when a message stays with a person.
STEPS = 160


@dataclass(frozen=True)
class Calm:
    """A prepared folder to copy, and the leads of a story that nothing disturbed."""

    folder: Path
    leads: list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    place = tmp_path_factory.mktemp("calm")
    prepared, told = Stack(place / "prepared"), Stack(place / "told")
    with prepared.started():
        pass
    _copy(prepared.folder, told.folder)
    with told.started():
        _tell(told)
        return Calm(prepared.folder, truth.leads(told))


@pytest.fixture
def stack(calm: Calm, tmp_path: Path) -> Stack:
    """A prepared stack of this test's own."""
    _copy(calm.folder, tmp_path / "stack")
    return Stack(tmp_path / "stack")


def _copy(source: Path, target: Path) -> None:
    # With owners: PostgreSQL may not be who we are.
    subprocess.run(["cp", "-a", source, target], check=True)


def _tell(stack: Stack, monkey: Monkey | None = None) -> None:
    """The story from its beginning to its end, then all that follows from it; and what must hold."""
    with stack.story() as telling:
        assert telling.wait(STORY_S) == 0
        assert monkey is None or wait_for(lambda: monkey.done, START_S)
    stack.come_to_rest()
    print("at rest:", truth.check(stack))


@pytest.fixture
def chance(seed: int) -> random.Random:
    return random.Random(seed)


def test_worker_relay_gateway_hub_and_redis_die_at_random(stack: Stack, calm: Calm, seed: int) -> None:
    blows = plan(seed, ["worker", "relay", "gateway", "realtime", "redis"], 15, STEPS)
    with stack.started(), Monkey(blows, stack.kill_part, stack.done) as monkey:
        _tell(stack, monkey)
        assert truth.leads(stack) == calm.leads
        assert len(monkey.struck) == 15
        assert stack.tells_at_once()


def test_redis_forgets_everything_again_and_again(stack: Stack, calm: Calm, seed: int) -> None:
    blows = plan(seed, ["redis"], 12, STEPS, most=12)
    with stack.started(), Monkey(blows, stack.forget_redis, stack.done) as monkey:
        before = stack.processes()
        _tell(stack, monkey)
        assert truth.leads(stack) == calm.leads
        assert stack.processes() == before  # nobody had to be restarted


def test_postgres_is_killed_and_frozen_and_nobody_else_has_to_restart(stack: Stack, calm: Calm, seed: int) -> None:
    blows = plan(seed, ["killed", "frozen"], 4, STEPS, most=2)
    with stack.started(), Monkey(blows, stack.stop_postgres, stack.done) as monkey:
        before = stack.processes("postgres")
        _tell(stack, monkey)
        assert truth.leads(stack) == calm.leads
        assert stack.processes("postgres") == before


def test_a_killed_supervisor_is_followed_by_one_that_ends_the_story(
    stack: Stack, calm: Calm, chance: random.Random
) -> None:
    moment = chance.randrange(STEPS * 3 // 4)
    try:
        stack.start("--once")
        assert wait_for(lambda: stack.done() >= moment, STORY_S)
        stack.kill()
        print("killed the supervisor at", stack.done())
        stack.start("--once")
        assert stack.ended(STORY_S) == 0
    finally:
        stack.stop()
    with stack.started():
        stack.come_to_rest()
        # WhatsApp's own server died as well, and forgot what it had not told us yet: the timers go and ask.
        stack.let_the_timers_fire()
        print("at rest:", truth.check(stack))
        assert truth.leads(stack) == calm.leads
