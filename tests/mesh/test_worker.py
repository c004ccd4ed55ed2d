"""Workers are woken, however long they have to wait for it."""

from rq import Queue, SimpleWorker

from somos.mesh.worker import blocking_client
from tests.harness.mesh import Mesh


def test_a_silence_is_no_trouble_with_redis(toys: Mesh) -> None:
    toys.runtime.redis.ping()  # as the command does before it listens: a connection that waits five seconds at most
    client = blocking_client(toys.runtime)
    worker = SimpleWorker([Queue("default", connection=client)], connection=client)
    client.ping()
    connection = client.connection_pool.get_connection()
    assert connection.socket_timeout > worker.dequeue_timeout
    client.close()
