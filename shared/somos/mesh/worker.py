"""Workers: once woken, a queue takes all that is due from PostgreSQL and posts it to its functions."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Literal

import urllib3
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from somos.mesh import cloud_events, outbox
from somos.mesh.addresses import Addresses
from somos.mesh.leases import Leases
from somos.mesh.log import log
from somos.mesh.outbox import Claim
from somos.mesh.queues import QUEUES, Queue
from somos.mesh.runtime import Runtime, current

if TYPE_CHECKING:
    import redis

# How long a queue goes unwatched when Redis loses a wake-up.
LOOK_S = 5.0
# How soon to look whether the gateway is back.
AWAY = timedelta(seconds=1)


class Sender:
    """Posts deliveries to functions through the gateway."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._addresses = Addresses(runtime.settings)
        self._http = urllib3.PoolManager(maxsize=32, retries=False)

    def send(self, claims: list[Claim]) -> None:
        """Post deliveries of one function; together when they are several, and each alone when that is refused."""
        if len(claims) > 1:
            headers, raw = cloud_events.batch(self._runtime.settings.mesh_secret, claims)
            if self._post(claims, headers, raw) == "refused":
                for claim in claims:
                    self.send([claim])
            return
        headers, raw = cloud_events.single(self._runtime.settings.mesh_secret, claims[0])
        self._post(claims, headers, raw)

    def _post(self, claims: list[Claim], headers: dict[str, str], raw: bytes) -> Literal["settled", "refused"]:
        """Post them; a failure is noted on each, which comes due again. `refused`: nothing is done, or noted."""
        address = self._addresses.of(claims[0].function)
        timeout = urllib3.Timeout(connect=5, read=max(claim.timeout for claim in claims) + 5)
        try:
            response = self._http.request("POST", address, body=raw, headers=headers, timeout=timeout)
        except (NewConnectionError, ConnectTimeoutError) as error:
            # Nothing was asked of the function: no attempt of its is spent on a gateway that restarts.
            for claim in claims:
                outbox.put_back(self._runtime.engine, claim, f"{type(error).__name__}: {error}", AWAY)
            log.warning("gateway_unreachable", deliveries=[claim.id for claim in claims], function=claims[0].function)
            return "settled"
        except urllib3.exceptions.HTTPError as error:
            for claim in claims:
                self._note(claim, f"{type(error).__name__}: {error}")
            return "settled"
        if response.status < 300:
            return "settled"
        if len(claims) > 1:
            return "refused"
        self._note(claims[0], f"HTTP {response.status}: {response.data[:1000].decode(errors='replace')}")
        return "settled"

    def _note(self, claim: Claim, error: str) -> None:
        state = outbox.fail(self._runtime.engine, claim, error)
        log.warning("delivery_failed", delivery=claim.id, function=claim.function, state=state, error=error[:300])


class QueueRunner:
    """Drains one queue whenever it is woken."""

    def __init__(self, runtime: Runtime, queue: Queue) -> None:
        self.queue = queue.name
        self._runtime = runtime
        self._sender = Sender(runtime)
        self._leases: Leases[Claim] = Leases(partial(outbox.renew, runtime.engine))
        self._free = queue.width
        self._batch = queue.batch
        self._pool = ThreadPoolExecutor(self._free, thread_name_prefix=queue.name)
        self._counting = threading.Lock()
        self._more = True
        self._wake = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._run, name=f"queue-{queue.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self, timeout: float) -> None:
        """Take nothing more; wait for what is under way."""
        self._stop = True
        self._wake.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        with self._pool:
            while not self._stop:
                self._wake.wait(LOOK_S)
                self._wake.clear()
                try:
                    self._fill()
                except Exception as error:
                    # PostgreSQL is away, most likely. A queue never stops being watched.
                    log.warning("queue_unreadable", queue=self.queue, error=type(error).__name__)

    def _fill(self) -> None:
        """Take what is due, as much as there are free places; while there may be more, whoever finishes wakes us."""
        self._more = True  # also when no place is free now
        while self._free > 0 and not self._stop:
            engine, most = self._runtime.engine, self._free * self._batch
            outbox.fan_out(engine, self._runtime.routes)
            claims = outbox.claim(engine, self.queue, most)
            self._more = len(claims) == most
            for together in _by_function(claims, self._batch):
                self._count(-1)
                self._pool.submit(self._send, together)
            if not self._more:
                return

    def _send(self, claims: list[Claim]) -> None:
        try:
            with ExitStack() as leases:
                for claim in claims:
                    leases.enter_context(self._leases.holding(claim))
                self._sender.send(claims)
        except Exception as error:
            # What became of them could not be noted: they come due again when their leases end.
            log.warning("delivery_outcome_unknown", deliveries=[c.id for c in claims], error=type(error).__name__)
        finally:
            self._count(1)
            if self._more:
                self._wake.set()

    def _count(self, by: int) -> None:
        with self._counting:
            self._free += by


def _by_function(claims: list[Claim], most: int) -> Iterator[list[Claim]]:
    """What may be posted in one call, in the order in which it was due."""
    for _, of_one in groupby(sorted(claims, key=lambda claim: claim.function), key=lambda claim: claim.function):
        in_order = sorted(of_one, key=lambda claim: claim.occurred_at)
        yield from (in_order[begin : begin + most] for begin in range(0, len(in_order), most))


_runners: dict[str, QueueRunner] = {}


def wake(queue: str) -> None:
    """The RQ job: wake the queue's runner and be gone."""
    current().notifier.clear_wake(queue)
    if queue in _runners:
        _runners[queue].wake()


def work(queues: list[str] | None = None) -> None:
    """Serve queues (all by default) until told to stop by a signal."""
    runtime = current()
    names = queues or list(QUEUES)
    for name in names:
        _runners[name] = QueueRunner(runtime, QUEUES[name])
        _runners[name].start()
        _runners[name].wake()
    try:
        _listen(runtime, names)
    finally:
        for runner in _runners.values():
            runner.stop(timeout=30)


def _listen(runtime: Runtime, names: list[str]) -> None:
    """Wait for wake-ups until a signal. RQ's worker gives up on some failures of Redis: then a new one listens."""
    from redis import RedisError
    from rq import Queue as RqQueue
    from rq import SimpleWorker
    from rq.exceptions import StopRequested
    from rq.job import Job
    from rq.serializers import JSONSerializer

    stopping = threading.Event()

    class WakeListener(SimpleWorker):
        max_connection_wait_time = 2.0

        def request_stop(self, signum: int, frame: object) -> None:
            stopping.set()
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

        def execute_job(self, job: Job, queue: RqQueue) -> None:
            """A wake-up leaves nothing in Redis: nobody reads its result, and a lost one is not missed."""
            wake(queue.name)
            with self.connection.pipeline() as pipeline:
                pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
                pipeline.delete(job.key)
                pipeline.execute()

        def subscribe(self) -> None:
            """It takes no commands: one connection less to lose."""

        def unsubscribe(self) -> None:
            pass

    client = blocking_client(runtime)
    while not stopping.is_set():
        queues = [RqQueue(name, connection=client, serializer=JSONSerializer) for name in names]
        listener = WakeListener(queues, connection=client, serializer=JSONSerializer)
        try:
            listener.work(logging_level="WARNING")
            stopping.wait(1)
        except StopRequested:
            return
        except RedisError as error:
            log.warning("queue_wake_failed", error=type(error).__name__)


def blocking_client(runtime: Runtime) -> "redis.Redis":
    """A client for waiting: RQ sets how long before it connects, and nobody else's connections end its waits."""
    import redis

    return redis.Redis.from_url(runtime.settings.redis_url, socket_connect_timeout=2, health_check_interval=30)
