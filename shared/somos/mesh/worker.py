"""Workers: a ring wakes a queue, which takes all that is due from PostgreSQL and posts it to its functions."""

import json
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import urllib3
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from somos.mesh import outbox
from somos.mesh.deliver import headers_for
from somos.mesh.log import log
from somos.mesh.outbox import Claim
from somos.mesh.runtime import Runtime, current

# Deliveries under way at once per queue: model calls wait on others, the rest is quick.
WIDTH = {"agents": 8, "messages": 4}
WIDTH_DEFAULT = 8


class Sender:
    """Posts deliveries to functions through the gateway."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._url = runtime.settings.gateway_url.rstrip("/")
        self._http = urllib3.PoolManager(maxsize=32, retries=False)

    def send(self, claim: Claim) -> None:
        """Post one; a failure is noted on the delivery, which comes due again."""
        raw = json.dumps(claim.data, separators=(",", ":")).encode()
        headers = headers_for(
            self._runtime.settings.mesh_secret,
            id=claim.id,
            type=claim.type,
            event_id=claim.event_id,
            time=claim.occurred_at,
            timeout=claim.timeout,
            correlation=claim.correlation,
            actor_id=claim.actor_id,
            traceparent=claim.traceparent,
            raw=raw,
        )
        try:
            response = self._http.request(
                "POST",
                f"{self._url}/function/{claim.function}",
                body=raw,
                headers=headers,
                timeout=urllib3.Timeout(connect=5, read=claim.timeout + 5),
            )
        except urllib3.exceptions.HTTPError as error:
            self._note(claim, f"{type(error).__name__}: {error}")
            return
        if response.status >= 300:
            self._note(claim, f"HTTP {response.status}: {response.data[:1000].decode(errors='replace')}")

    def _note(self, claim: Claim, error: str) -> None:
        state = outbox.fail(self._runtime.engine, claim, error)
        log.warning("delivery-failed", delivery=claim.id, function=claim.function, state=state, error=error[:300])


class QueueRunner:
    """Drains one queue whenever it is woken."""

    def __init__(self, runtime: Runtime, queue: str) -> None:
        self.queue = queue
        self._runtime = runtime
        self._sender = Sender(runtime)
        self._width = WIDTH.get(queue, WIDTH_DEFAULT)
        self._wake = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._run, name=f"queue-{queue}", daemon=True)

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
        with ThreadPoolExecutor(self._width, thread_name_prefix=self.queue) as pool:
            while not self._stop:
                self._wake.wait()
                self._wake.clear()
                try:
                    self.drain(pool)
                except (SQLAlchemyError, DBAPIError) as error:
                    # PostgreSQL is away; the relay rings again when it is back.
                    log.warning("queue-waits", queue=self.queue, error=type(error).__name__)

    def drain(self, pool: ThreadPoolExecutor) -> None:
        """Until nothing is due: claim as many as there are free places, post them side by side."""
        under_way: set[Future[Any]] = set()
        engine = self._runtime.engine
        while not self._stop:
            outbox.fan_out(engine, self._runtime.routes)
            claims = outbox.claim(engine, self.queue, self._width - len(under_way))
            under_way |= {pool.submit(self._sender.send, claim) for claim in claims}
            if not under_way:
                return
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()


_runners: dict[str, QueueRunner] = {}


def answer(queue: str) -> None:
    """The RQ job: wake the queue's runner and be gone."""
    current().bell.answered(queue)
    if queue in _runners:
        _runners[queue].wake()


def work(queues: list[str] | None = None) -> None:
    """Serve queues (all of the map's by default) until told to stop by a signal."""
    from rq import Queue, SimpleWorker
    from rq.serializers import JSONSerializer

    runtime = current()
    names = queues or list(runtime.routes.queues)
    for name in names:
        _runners[name] = QueueRunner(runtime, name)
        _runners[name].start()
        _runners[name].wake()
    worker = SimpleWorker(
        [Queue(name, connection=runtime.redis, serializer=JSONSerializer) for name in names],
        connection=runtime.redis,
        serializer=JSONSerializer,
    )
    try:
        worker.work(logging_level="WARNING")
    finally:
        for runner in _runners.values():
            runner.stop(timeout=30)
