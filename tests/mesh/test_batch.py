"""Deliveries of one function that come together are done in one transaction, or each by itself."""

import json
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from somos.mesh import outbox
from somos.mesh.ids import uuid7
from somos.mesh.outbox import Claim
from somos.mesh.worker import Sender
from tests.harness.mesh import Answer, Mesh
from tests.mesh.toys.on_note_filed import NoteFiled


def _notes(toys: Mesh, count: int) -> list[UUID]:
    ids = [uuid7() for _ in range(count)]
    with toys.db() as db:
        for id in ids:
            db.execute(text("insert into mesh.toy_notes (id, text) values (:id, 'oi')"), {"id": id})
    return ids


def _due(toys: Mesh) -> list[Claim]:
    outbox.fan_out(toys.runtime.engine, toys.runtime.routes)
    return outbox.claim(toys.runtime.engine, "facts", 100)


def _counted(toys: Mesh) -> list[int]:
    return sorted(row["counted"] for row in toys.rows("select counted from mesh.toy_notes"))


def _states(toys: Mesh) -> list[str]:
    return sorted(row["state"] for row in toys.rows("select state from mesh.deliveries where queue = 'facts'"))


def _file(toys: Mesh, ids: list[UUID], **of_last: Any) -> list[Claim]:
    events = [NoteFiled(note_id=id) for id in ids[:-1]]
    toys.state(*events, NoteFiled(note_id=ids[-1], **of_last))
    return _due(toys)


class Posts:
    """Stands for the worker's HTTP client: the function answers at once."""

    def __init__(self, toys: Mesh) -> None:
        self.toys = toys
        self.sizes: list[int] = []

    def request(self, _method: str, _url: str, *, body: bytes, headers: dict[str, str], **_more: Any) -> "Posts":
        posted = json.loads(body)
        self.sizes.append(len(posted) if isinstance(posted, list) else 1)
        self.answer = self.toys.post("toys-on-note-filed", headers, body)
        return self

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def data(self) -> bytes:
        return self.answer.raw


@pytest.fixture
def posts(toys: Mesh) -> Posts:
    return Posts(toys)


@pytest.fixture
def sender(toys: Mesh, posts: Posts, monkeypatch: pytest.MonkeyPatch) -> Sender:
    sender = Sender(toys.runtime)
    monkeypatch.setattr(sender, "_http", posts)
    return sender


def test_all_are_done_by_one_call_and_what_they_state_goes_on(toys: Mesh, sender: Sender, posts: Posts) -> None:
    ids = _notes(toys, 5)
    sender.send(_file(toys, ids))
    assert posts.sizes == [5]
    assert _counted(toys) == [1] * 5
    assert _states(toys) == ["done"] * 5
    toys.drain()
    receipts = {row["receipt"] for row in toys.rows("select receipt from mesh.toy_receipts")}
    assert receipts == {f"filed-{id}" for id in ids}


def test_each_keeps_its_own_chain(toys: Mesh, sender: Sender) -> None:
    toys.state(NoteFiled(note_id=_notes(toys, 1)[0]))
    toys.state(NoteFiled(note_id=_notes(toys, 1)[0]))
    sender.send(_due(toys))
    chains = toys.rows("select correlation, count(*) from mesh.outbox group by 1")
    assert [row["count"] for row in chains] == [2, 2]


def test_one_that_fails_takes_nothing_from_the_others(toys: Mesh, sender: Sender, posts: Posts) -> None:
    claims = _file(toys, _notes(toys, 4), spoilt=True)
    sender.send(claims)
    assert posts.sizes == [4, 1, 1, 1, 1]
    assert _counted(toys) == [0, 1, 1, 1]
    assert _states(toys) == ["done", "done", "done", "due"]
    assert toys.one("select attempts from mesh.deliveries where state = 'due'") == 1
    assert toys.one("select last_error from mesh.deliveries where state = 'due'").startswith("HTTP 500")


def test_one_that_waits_is_put_off_alone(toys: Mesh, sender: Sender) -> None:
    sender.send(_file(toys, _notes(toys, 3), not_before=toys.time + timedelta(minutes=10)))
    assert _counted(toys) == [0, 1, 1]
    toys.advance(seconds=601)
    sender.send(_due(toys))
    assert _counted(toys) == [1, 1, 1]


def test_what_was_done_before_is_not_done_again(toys: Mesh, sender: Sender) -> None:
    claims = _file(toys, _notes(toys, 3))
    toys.deliver(claims[1])
    sender.send(claims)
    sender.send(claims)
    assert _counted(toys) == [1, 1, 1]
    assert toys.one("select count(*) from mesh.outbox where type = 'on_note_written.note_counted'") == 3


def test_a_batch_that_comes_eight_times_side_by_side_is_done_once(toys: Mesh) -> None:
    claims = _file(toys, _notes(toys, 5))
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(toys.deliver_batch(claims))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [204] * 8
    assert _counted(toys) == [1] * 5


def test_a_batch_that_the_mesh_did_not_sign_is_turned_away(toys: Mesh) -> None:
    claims = _file(toys, _notes(toys, 2))
    toys.deliver_batch(claims, secret="another").refused(401, "unauthorised")
    assert _counted(toys) == [0, 0]
