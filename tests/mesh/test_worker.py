"""Workers are woken, however long they have to wait for it."""

import threading

import pytest
from rq import Queue, SimpleWorker

from somos.mesh import worker
from somos.mesh.ids import uuid7
from somos.mesh.outbox import Claim
from somos.mesh.queues import FACTS
from somos.mesh.worker import blocking_client
from tests.harness.mesh import Mesh
from tests.mesh.toys.on_note_filed import NoteFiled


def test_a_silence_is_no_trouble_with_redis(toys: Mesh) -> None:
    toys.runtime.redis.ping()  # as the command does before it listens: a connection that waits five seconds at most
    client = blocking_client(toys.runtime)
    worker = SimpleWorker([Queue("default", connection=client)], connection=client)
    client.ping()
    connection = client.connection_pool.get_connection()
    assert connection.socket_timeout > worker.dequeue_timeout
    client.close()


class Slow:
    """A sender of which the first call lasts until it is let go."""

    def __init__(self) -> None:
        self.began, self.goes_on, self.again = threading.Event(), threading.Event(), threading.Event()

    def send(self, _claims: list[Claim]) -> None:
        if self.began.is_set():
            self.again.set()
        self.began.set()
        assert self.goes_on.wait(20)


def test_what_comes_due_while_every_place_is_taken_is_taken_as_soon_as_one_is_free(
    toys: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_S", 600.0)  # nothing but a wake-up makes it look
    runner, slow = worker.QueueRunner(toys.runtime, FACTS), Slow()
    monkeypatch.setattr(runner, "_sender", slow)
    monkeypatch.setattr(runner, "_free", 1)
    toys.state(NoteFiled(note_id=uuid7()))
    runner.start()
    runner.wake()
    assert slow.began.wait(20)
    toys.state(NoteFiled(note_id=uuid7()))
    runner.wake()
    while runner._wake.is_set():
        pass
    slow.goes_on.set()
    came = slow.again.wait(10)
    runner.stop(20)
    assert came
