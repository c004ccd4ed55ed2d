"""The breaker and the rate limit that all workers share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis

from somos.adapters.gate import Gate
from somos.adapters.provider import Rate
from somos.ports.errors import Throttled, Transient
from tests.adapters.conftest import SetClock

Make = Callable[..., Gate]


def fail(gate: Gate, times: int = 1) -> None:
    for _ in range(times):
        token, _pause = gate.admit()
        gate.settle(token, good=False)


def succeed(gate: Gate) -> None:
    token, _pause = gate.admit()
    gate.settle(token, good=True)


def is_open(gate: Gate) -> bool:
    try:
        gate.admit()
    except Transient as error:
        return error.code == "circuit-open"
    return False


def test_five_failures_in_a_row_open_the_circuit(gate: Make) -> None:
    fail(gate(), times=4)
    assert gate().circuit().state == "closed"
    fail(gate())
    assert gate().circuit().state == "open"
    with pytest.raises(Transient) as refused:
        gate().admit()
    assert refused.value.retry_after == 5


def test_a_success_forgets_the_failures_before_it(gate: Make) -> None:
    fail(gate(), times=4)
    succeed(gate())
    fail(gate(), times=4)
    assert gate().circuit().state == "closed"


def test_of_twenty_workers_after_the_pause_three_are_let_through_on_trial(gate: Make, clock: SetClock) -> None:
    fail(gate(), times=5)
    clock.move(5)
    together = Barrier(20)

    def try_it(_: int) -> bool:
        own = gate()
        together.wait()
        return not is_open(own)

    with ThreadPoolExecutor(20) as pool:
        admitted = list(pool.map(try_it, range(20)))
    assert admitted.count(True) == 3
    assert gate().circuit().state == "half-open"


def on_trial(gate: Gate, *answers: bool) -> None:
    """Calls that are under way together and answer in this order."""
    tokens = [gate.admit()[0] for _ in answers]
    for token, good in zip(tokens, answers, strict=True):
        gate.settle(token, good=good)


@pytest.mark.parametrize("answers", [(True, True), (False, True, True), (True, False, True)])
def test_more_good_calls_than_bad_close_the_circuit(gate: Make, clock: SetClock, answers: tuple[bool, ...]) -> None:
    fail(gate(), times=5)
    clock.move(5)
    on_trial(gate(), *answers)
    assert gate().circuit().state == "closed"
    for _ in range(5):
        assert not is_open(gate())


@pytest.mark.parametrize("answers", [(False, False), (True, False, False), (False, False, True)])
def test_more_bad_calls_than_good_make_another_and_longer_pause(
    gate: Make, clock: SetClock, answers: tuple[bool, ...]
) -> None:
    fail(gate(), times=5)
    clock.move(5)
    on_trial(gate(), *answers)
    clock.move(9)
    assert is_open(gate())
    clock.move(1)
    assert not is_open(gate())


def test_a_pause_never_gets_longer_than_a_minute_and_begins_short_again(gate: Make, clock: SetClock) -> None:
    fail(gate(), times=5)
    pauses = []
    for _ in range(6):
        with pytest.raises(Transient) as refused:
            gate().admit()
        pauses.append(refused.value.retry_after)
        clock.move(refused.value.retry_after or 0)
        on_trial(gate(), False, False)
    assert pauses == [5, 10, 20, 40, 60, 60]
    clock.move(60)
    on_trial(gate(), True, True)
    fail(gate(), times=5)
    clock.move(5)
    assert not is_open(gate())


def test_whoever_finds_no_place_in_a_trial_waits_as_long_as_it_runs_already(gate: Make, clock: SetClock) -> None:
    fail(gate(), times=5)
    clock.move(5)
    for _ in range(3):
        gate().admit()
    waits = []
    for later in (0, 4, 16, 39):
        clock.move(later)
        with pytest.raises(Transient) as refused:
            gate().admit()
        waits.append(refused.value.retry_after)
    assert waits == [1, 4, 20, 1]


def test_those_who_wait_together_do_not_come_back_together(gate: Make, clock: SetClock) -> None:
    fail(gate(), times=5)

    def waits() -> set[float | None]:
        found = set()
        for n in range(4):
            with pytest.raises(Transient) as refused:
                gate(jitter=lambda n=n: n / 4).admit()
            found.add(refused.value.retry_after)
        return found

    assert len(waits()) == 4
    clock.move(5)
    for _ in range(3):
        gate().admit()
    assert len(waits()) == 4


def test_an_answer_of_an_earlier_trial_decides_nothing_in_the_next(gate: Make, clock: SetClock) -> None:
    fail(gate(), times=5)
    clock.move(5)
    early = [gate().admit()[0] for _ in range(3)]
    clock.move(60)
    gate().admit()
    for token in early:
        gate().settle(token, good=False)
    assert gate().circuit().state == "half-open"


def test_a_late_answer_neither_closes_nor_prolongs_an_open_circuit(gate: Make, clock: SetClock) -> None:
    early, _ = gate().admit()
    late, _ = gate().admit()
    fail(gate(), times=5)
    gate().settle(early, good=True)
    assert is_open(gate())
    clock.move(3)
    gate().settle(late, good=False)
    clock.move(2)
    assert not is_open(gate())


def test_calls_on_trial_that_never_report_give_their_places_to_the_next(gate: Make, clock: SetClock) -> None:
    fail(gate(lease=60), times=5)
    clock.move(5)
    for _ in range(3):
        gate(lease=60).admit()
    assert is_open(gate(lease=60))
    clock.move(60)
    assert not is_open(gate(lease=60))


def test_a_clock_set_back_does_not_keep_the_circuit_open(gate: Make, clock: SetClock) -> None:
    fail(gate(), times=5)
    clock.move(-3600)
    assert not is_open(gate())


def test_a_burst_goes_through_and_the_next_call_waits_its_turn(gate: Make) -> None:
    own = gate(Rate(5, 1.0), patience=2)
    pauses = [own.admit()[1] for _ in range(7)]
    assert pauses[:5] == [0, 0, 0, 0, 0]
    assert 0 < pauses[5] <= 0.2 < pauses[6] <= 0.4


def test_a_call_far_too_early_is_turned_away_with_the_time_to_come_back(gate: Make) -> None:
    own = gate(Rate(2, 3600), patience=0)
    own.admit()
    own.admit()
    with pytest.raises(Throttled) as refused:
        own.admit()
    assert refused.value.code == "own-rate"
    assert refused.value.retry_after == pytest.approx(1800, abs=5)


def test_twenty_workers_together_stay_within_the_rate(gate: Make) -> None:
    together = Barrier(20)

    def try_it(_: int) -> bool:
        own = gate(Rate(5, 3600), patience=0)
        together.wait()
        try:
            own.admit()
        except Throttled:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(try_it, range(20))).count(True) == 5


def test_without_redis_everything_may_pass(no_redis: "redis.Redis", clock: SetClock) -> None:
    own = Gate(no_redis, "provider", clock, rate=Rate(1, 3600))
    for _ in range(10):
        token, pause = own.admit()
        own.settle(token, good=False)
        assert pause == 0
    assert own.circuit().state == "unknown"


def test_a_redis_that_forgot_everything_is_a_closed_circuit(gate: Make, store: "redis.Redis") -> None:
    own = gate()
    fail(own, times=5)
    store.flushall()
    store.script_flush()
    assert not is_open(own)
