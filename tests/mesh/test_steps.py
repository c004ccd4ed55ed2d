"""A step happens effectively once, whatever dies or repeats."""

import threading
from datetime import time

import pytest

from somos.mesh import outbox
from somos.mesh.context import Misuse
from somos.mesh.ids import uuid7
from tests.harness.mesh import Mesh
from tests.mesh.toys.notes import NoteWritten
from tests.mesh.toys.outside import NothingHappened, SaidNo, ToyPostman


def _write_a_note(toys: Mesh, **more: object) -> str:
    note: str = toys.call("POST /toys/notes", {"text": "oi", **more}, as_=toys.person("Diretor")).ok()["id"]
    return note


def _counted(toys: Mesh) -> int:
    return int(toys.one("select sum(counted) from mesh.toy_notes"))


def test_a_chain_of_steps_runs_to_its_end(toys: Mesh, postman: ToyPostman) -> None:
    _write_a_note(toys)
    assert toys.drain() == 2
    assert _counted(toys) == 1
    assert toys.rows("select receipt from mesh.toy_receipts")[0]["receipt"].startswith("recibo-")
    assert toys.one("select count(distinct correlation) from mesh.outbox where type like 'notes%'") == 1


def test_a_request_that_fails_leaves_neither_rows_nor_events(toys: Mesh) -> None:
    answer = toys.call("POST /toys/notes", {"text": "oi", "fail": True}, as_=toys.person("Diretor"))
    answer.refused(409, "asked-to")
    assert toys.one("select count(*) from mesh.toy_notes") == 0
    assert toys.one("select count(*) from mesh.outbox") == 0


def test_a_delivery_that_comes_twice_counts_once(toys: Mesh, postman: ToyPostman) -> None:
    _write_a_note(toys)
    toys.twice = True
    toys.drain()
    assert _counted(toys) == 1
    assert len(postman.told) == 1


def test_a_delivery_that_comes_ten_times_side_by_side_counts_once(toys: Mesh, postman: ToyPostman) -> None:
    _write_a_note(toys)
    outbox.fan_out(toys.runtime.engine, toys.runtime.routes)
    [claim] = outbox.claim(toys.runtime.engine, "default", 10)
    threads = [threading.Thread(target=toys.deliver, args=(claim,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    toys.advance(minutes=5)
    toys.drain()
    assert _counted(toys) == 1
    assert len(postman.told) == 1


def test_a_process_that_dies_between_the_call_and_the_commit_repeats_only_with_the_same_key(
    toys: Mesh, postman: ToyPostman
) -> None:
    _write_a_note(toys)
    postman.trouble, postman.late = [KeyboardInterrupt()], True  # as a kill: the effect happened, nothing was written
    with pytest.raises(KeyboardInterrupt):
        toys.drain()
    toys.advance(minutes=5)
    toys.drain()
    assert _counted(toys) == 1
    keys = {key for _, key in postman.told}
    assert len(postman.told) == 2
    assert len(keys) == 1


@pytest.mark.any_day
def test_a_failure_comes_due_again_later_and_dies_after_the_last_attempt(toys: Mesh, postman: ToyPostman) -> None:
    _write_a_note(toys)
    postman.trouble = [NothingHappened() for _ in range(3)]
    for _ in range(3):
        toys.drain(tolerate=True)
        toys.advance(hours=1)
    assert toys.one("select state from mesh.deliveries") == "dead"
    assert _counted(toys) == 0
    dead = toys.one("select id from mesh.deliveries where state = 'dead'")
    assert outbox.replay(toys.runtime.engine, dead)
    toys.drain()
    assert _counted(toys) == 1


def test_a_provider_that_says_when_to_come_back_costs_no_attempt(toys: Mesh, postman: ToyPostman) -> None:
    _write_a_note(toys)
    busy = NothingHappened()
    busy.retry_after = 90.0
    postman.trouble = [busy]
    toys.drain()
    assert toys.one("select attempts from mesh.deliveries") == 0
    assert _counted(toys) == 0
    toys.advance(seconds=91)
    toys.drain()
    assert _counted(toys) == 1


def test_a_refusal_is_remembered_and_not_asked_again(toys: Mesh, postman: ToyPostman) -> None:
    _write_a_note(toys)
    postman.trouble = [SaidNo("não")]
    toys.drain(tolerate=True)
    toys.advance(hours=1)
    toys.drain(tolerate=True)
    assert postman.told == []
    assert toys.one("select state from mesh.effects") == "refused"


@pytest.mark.any_day
def test_an_event_stated_for_later_waits(toys: Mesh) -> None:
    _write_a_note(toys, after_s=600)
    assert toys.drain() == 0
    toys.advance(minutes=11)
    assert toys.drain() == 2


def test_an_event_the_mesh_did_not_sign_is_refused(toys: Mesh) -> None:
    headers = {"Ce-Type": "notes.note_written", "Ce-Id": "x", "Ce-Signature": "t=1,v1=00"}
    toys.call("POST /function/toys-on-note-written", {"note_id": "x"}, headers=headers).refused(401)


@pytest.mark.any_day
def test_a_timer_ticks_once_a_minute_however_often_it_is_asked(toys: Mesh) -> None:
    toys.at(time(10, 30))
    assert toys.tick() == ["toys-every-minute"]
    toys.tick()
    toys.drain()
    assert toys.one("select count(*) from mesh.toy_receipts where receipt = 'tick'") == 1
    toys.advance(minutes=1)
    assert toys.tick() == []


def test_an_attempt_that_lost_its_lease_cannot_put_off_what_another_attempt_has(
    toys: Mesh, postman: ToyPostman
) -> None:
    _write_a_note(toys)
    outbox.fan_out(toys.runtime.engine, toys.runtime.routes)
    [first] = outbox.claim(toys.runtime.engine, "default", 1)
    toys.advance(minutes=1)
    [second] = outbox.claim(toys.runtime.engine, "default", 1)
    busy = NothingHappened()
    busy.retry_after = 3600.0
    postman.trouble = [busy]
    assert toys.deliver(first).status == 204
    [left] = toys.rows("select attempts, due_at from mesh.deliveries")
    assert (left["attempts"], left["due_at"]) == (2, second.due_at)


def test_an_event_that_the_map_does_not_know_of_this_function_is_refused(toys: Mesh) -> None:
    with pytest.raises(Misuse, match="emits NoteWritten, which its map does not know"):
        toys.context().emit(NoteWritten(note_id=uuid7()))
