"""Two hundred callers and a provider in trouble, played through the real Redis at the speed of a set clock."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest

from somos.adapters.gate import Gate
from somos.mesh.queues import AGENTS
from somos.ports.errors import Transient
from tests.adapters.conftest import SetClock

CALLERS = 198
WIDTH = AGENTS.width


@dataclass
class Play:
    """Each caller wants one good answer. Whoever is turned away or fails comes back when told, as a step does."""

    gate: Gate
    clock: SetClock
    answers: Callable[[float, int], tuple[bool, float]]  # (second, number of the call) -> (good, how long it takes)
    calls: int = 0
    turned_away: int = 0
    done_at: list[float] = field(default_factory=list)

    def run(self, until: float) -> None:
        number, under_way, now = count(), 0, 0.0
        tries = dict.fromkeys(range(CALLERS), 0)
        waiting = [(0.0, next(number), caller) for caller in range(CALLERS)]
        ends: list[tuple[float, int, int, str, bool]] = []
        while (waiting or ends) and now < until:
            ready = waiting[0][0] if waiting and under_way < WIDTH else float("inf")
            ending = ends[0][0] if ends else float("inf")
            later = max(now, min(ready, ending))
            self.clock.move(later - now)
            now = later
            if ending <= ready:
                _, _, caller, token, good = heapq.heappop(ends)
                under_way -= 1
                self.gate.settle(token, good=good)
                if good:
                    self.done_at.append(now)
                else:
                    tries[caller] += 1
                    heapq.heappush(waiting, (now + 2.0 ** tries[caller], next(number), caller))
                continue
            _, _, caller = heapq.heappop(waiting)
            try:
                token, _pause = self.gate.admit()
            except Transient as error:
                self.turned_away += 1
                heapq.heappush(waiting, (now + (error.retry_after or 0.0), next(number), caller))
                continue
            good, takes = self.answers(now, self.calls)
            self.calls += 1
            under_way += 1
            heapq.heappush(ends, (now + takes, next(number), caller, token, good))


@pytest.fixture
def play(gate: Callable[..., Gate], clock: SetClock) -> Callable[..., Play]:
    def make(answers: Callable[[float, int], tuple[bool, float]]) -> Play:
        return Play(gate(jitter=random.Random(7).random), clock, answers)

    return make


@pytest.mark.parametrize("faults", [5, 12, 20])
def test_faults_that_wait_in_a_queue_hold_nobody_for_minutes(play: Callable[..., Play], faults: int) -> None:
    """One probe a minute met one fault each: 192 of 198 stood still for five minutes."""
    played = play(lambda _, call: (call >= faults, 0.3))
    played.run(300)
    assert len(played.done_at) == CALLERS
    assert max(played.done_at) < 120


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_provider_that_fails_now_and_then_goes_on_being_used(play: Callable[..., Play], share: float) -> None:
    dice = random.Random(11)
    played = play(lambda _, __: (dice.random() >= share, 0.3))
    played.run(300)
    assert len(played.done_at) == CALLERS
    assert max(played.done_at) < 120


@pytest.mark.parametrize("takes", [0.1, 30.0])
def test_a_provider_that_is_down_is_asked_seldom_and_used_soon_after(play: Callable[..., Play], takes: float) -> None:
    down = 600.0
    during: list[float] = []

    def answers(second: float, _: int) -> tuple[bool, float]:
        if second < down:
            during.append(second)
            return False, takes
        return True, 0.3

    played = play(answers)
    played.run(1200)
    assert len(played.done_at) == CALLERS
    assert len(during) < 60
    assert max(played.done_at) < down + 120
    assert played.turned_away < CALLERS * 60
