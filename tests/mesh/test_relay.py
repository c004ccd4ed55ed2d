"""The safety net holds whatever part of it fails, and timers catch up with what they missed."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from somos.mesh import heartbeats, housekeeping, outbox
from somos.mesh.ids import uuid7
from somos.mesh.relay import Relay
from tests.harness.mesh import Mesh


def _broken(*_: object, **__: object) -> int:
    raise RuntimeError("esta parte está quebrada")


def _silent(toys: Mesh) -> list[str]:
    with toys.db() as db:
        return heartbeats.overdue(heartbeats.last_seen(db.connection()))


# -- parts that fail


@pytest.mark.parametrize(
    ("broken", "name", "part"),
    [
        (Relay, "tick", "tick"),
        (outbox, "fan_out", "fan-out"),
        (outbox, "due_queues", "wake"),
        (housekeeping, "seal", "seal"),
        (housekeeping, "_counted", "seal"),
    ],
)
def test_a_part_that_keeps_failing_stops_no_other_and_is_seen_to_be_silent(
    toys: Mesh, monkeypatch: pytest.MonkeyPatch, broken: object, name: str, part: str
) -> None:
    monkeypatch.setattr(broken, name, _broken)
    relay = Relay(toys.runtime)
    relay.turn()
    relay.keep_house()
    silent = _silent(toys)
    assert part in silent
    assert set(silent) <= {part, "forget-audit"}


def test_records_that_cannot_be_forgotten_keep_no_other_record(toys: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "_DELIVERIES", text("select 1 / 0, :until, :most"))
    _old_delivery(toys)
    with toys.db() as db:
        db.execute(text("delete from mesh.deliveries"))
    Relay(toys.runtime).keep_house()
    assert toys.one("select count(*) from mesh.outbox") == 0
    assert _silent(toys)[-1:] == ["forget-deliveries"]


def test_queues_are_woken_while_the_house_cannot_be_kept(toys: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr(housekeeping, "forgetting", _broken)
    monkeypatch.setattr(type(toys.runtime.notifier), "wake", lambda _notifier, queues: woken.extend(queues))
    toys.call("POST /toys/notes", {"text": "oi"}, as_=toys.person("Diretor")).ok()
    woken.clear()
    Relay(toys.runtime).turn()
    assert woken == ["default"]


# -- what is forgotten


def _old_delivery(toys: Mesh, *, days: int = 31, state: str = "done") -> UUID:
    id, at = uuid7(), toys.time - timedelta(days=days)
    with toys.db() as db:
        for statement in (
            "insert into mesh.outbox (id, type, data, due_at, occurred_at, correlation, emitted_by, fanned_at) "
            "values (:id, 'x.y', '{}', :at, :at, :id, 'test', :at)",
            "insert into mesh.deliveries (id, event_id, type, function, queue, state, due_at, timeout, max_attempts, "
            "done_at) values (:id, :id, 'x.y', 'x-y', 'default', :state, :at, 30, 8, :at)",
            "insert into mesh.effects (delivery_id, name, operation, state, arguments, lease_until, started_at, "
            "finished_at) values (:id, 'send', 'X.y', 'done', '{}', :at, :at, :at)",
        ):
            db.execute(text(statement), {"id": id, "at": at, "state": state})
    return id


def _counts(toys: Mesh) -> tuple[int, ...]:
    return tuple(toys.one(f"select count(*) from mesh.{table}") for table in ("outbox", "deliveries", "effects"))


def test_finished_work_is_forgotten_after_its_days_in_batches(toys: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    for _ in range(5):
        _old_delivery(toys)
    _old_delivery(toys, days=29)
    Relay(toys.runtime).keep_house()
    assert _counts(toys) == (1, 1, 1)


def test_what_is_more_than_one_minute_may_forget_waits_for_the_next(
    toys: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 1)
    monkeypatch.setattr(housekeeping, "BATCHES", 3)
    for _ in range(5):
        _old_delivery(toys)
    relay = Relay(toys.runtime)
    relay.keep_house()
    relay.keep_house()
    assert _counts(toys)[1] == 2
    toys.advance(minutes=1)
    relay.keep_house()
    assert _counts(toys) == (0, 0, 0)


def test_a_call_that_waits_for_a_person_keeps_its_delivery_and_its_event(toys: Mesh) -> None:
    _old_delivery(toys)
    with toys.db() as db:
        db.execute(text("update mesh.effects set state = 'parked'"))
    Relay(toys.runtime).keep_house()
    assert _counts(toys) == (1, 1, 1)


def test_dead_work_is_never_forgotten(toys: Mesh) -> None:
    _old_delivery(toys, state="dead")
    Relay(toys.runtime).keep_house()
    assert _counts(toys) == (1, 1, 1)


@pytest.mark.parametrize(("finished", "kept"), [(True, 0), (False, 1)])
def test_a_report_is_kept_while_its_event_is(toys: Mesh, finished: bool, kept: int) -> None:
    id, at = uuid7(), toys.time - timedelta(days=31)
    with toys.db() as db:
        db.execute(
            text(
                "insert into mesh.inbox (id, function, provider, dedupe, headers, raw, digest, received_at) "
                "values (:id, 'sdr-hook', 'x', '1', '{}', '', '', :at)"
            ),
            {"id": id, "at": at},
        )
        db.execute(
            text(
                "insert into mesh.outbox (id, type, data, due_at, occurred_at, correlation, emitted_by, fanned_at) "
                "values (:event, 'inbox.sdr-hook', '{}', :at, :at, :id, 'sdr-hook', :at)"
            ),
            {"event": uuid7(), "id": id, "at": at if finished else toys.time},
        )
        if not finished:
            db.execute(text("update mesh.outbox set fanned_at = :now"), {"now": toys.time})
    Relay(toys.runtime).keep_house()
    assert toys.one("select count(*) from mesh.inbox") == kept


def test_answers_are_forgotten_after_two_days(toys: Mesh) -> None:
    with toys.db() as db:
        for days in (1, 3):
            db.execute(
                text(
                    "insert into mesh.idempotency (principal_id, key, fingerprint, created_at) "
                    "values (:id, 'k', '', :at)"
                ),
                {"id": uuid7(), "at": toys.time - timedelta(days=days)},
            )
    Relay(toys.runtime).keep_house()
    assert toys.one("select count(*) from mesh.idempotency") == 1


# -- timers


@pytest.fixture
def half_past_ten(toys: Mesh) -> Callable[[], int]:
    """The toy's timer is due every day at 10:30; the tests begin at 10:00. How often its tick ran."""
    toys.tick()

    def ran() -> int:
        toys.drain()
        count: int = toys.one("select count(*) from mesh.toy_receipts where receipt = 'tick'")
        return count

    return ran


def test_a_timer_whose_minute_nobody_saw_ticks_once_afterwards(toys: Mesh, half_past_ten: Callable[[], int]) -> None:
    toys.advance(minutes=45)
    assert toys.tick() == ["toys-every-minute"]
    assert toys.tick() == []
    assert half_past_ten() == 1
    assert toys.one("select data ->> 'minute' from mesh.outbox where type like 'timer.%'").startswith(
        "2026-11-23T13:30"
    )


def test_however_many_minutes_were_missed_a_timer_catches_up_once(toys: Mesh, half_past_ten: Callable[[], int]) -> None:
    toys.advance(days=3, minutes=45)
    toys.tick()
    toys.advance(minutes=1)
    toys.tick()
    assert half_past_ten() == 1


def test_a_timer_that_is_new_has_missed_nothing(toys: Mesh) -> None:
    toys.advance(minutes=45)
    assert toys.tick() == []


def test_a_process_that_dies_while_it_ticks_catches_up_when_it_is_back(
    toys: Mesh, half_past_ten: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    toys.advance(minutes=30)
    with monkeypatch.context() as broken:
        broken.setattr(outbox, "write", _broken)
        Relay(toys.runtime).turn()
    toys.advance(minutes=10)
    Relay(toys.runtime).turn()
    assert half_past_ten() == 1


def test_a_clock_set_back_repeats_no_tick_and_loses_none(toys: Mesh, half_past_ten: Callable[[], int]) -> None:
    toys.advance(minutes=30)
    toys.tick()
    toys.advance(hours=-1)
    toys.tick()
    toys.advance(hours=1)
    toys.tick()
    assert half_past_ten() == 1
    toys.advance(days=1)
    toys.tick()
    assert half_past_ten() == 2
