"""Redis rings: a ring wakes a worker, which asks PostgreSQL what is due. Losing a ring loses only time."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from somos.mesh.ids import uuid7
from somos.mesh.log import log

if TYPE_CHECKING:
    import redis

RING_TTL_MS = 2_000
REALTIME = "somos:realtime"


def announcement(
    type: str, data: dict[str, Any], at: datetime, *, user: UUID | None = None, role: str | None = None
) -> dict[str, Any]:
    """What the hub hands on, and to whom."""
    to = {"user": user, "roles": [role] if role else []}
    return {"id": uuid7(), "type": type, "data": data, "at": at.isoformat(), "to": to}


class Bell:
    """Wakes workers through RQ and tells connected people through pub/sub. Never raises."""

    def __init__(self, client: "redis.Redis | None") -> None:
        self.redis = client

    def ring(self, queues: Iterable[str]) -> None:
        """One job per queue; rings that nobody answered yet are not repeated."""
        if self.redis is None:
            return
        from redis import RedisError

        try:
            for queue in queues:
                if self.redis.set(f"somos:ring:{queue}", "1", nx=True, px=RING_TTL_MS):
                    self._enqueue(queue)
        except RedisError as error:
            log.warning("queue_ring_failed", error=type(error).__name__)

    def answered(self, queue: str) -> None:
        """A worker is about to look; whatever is committed from now on must ring again."""
        assert self.redis is not None
        self.redis.delete(f"somos:ring:{queue}")

    def tell(self, messages: Iterable[dict[str, Any]]) -> None:
        """Publish to the realtime hub."""
        if self.redis is None:
            return
        from redis import RedisError

        try:
            for message in messages:
                self.redis.publish(REALTIME, json.dumps(message, default=str))
        except RedisError as error:
            log.warning("realtime_publish_failed", error=type(error).__name__)

    def _enqueue(self, queue: str) -> None:
        from rq import Queue
        from rq.serializers import JSONSerializer

        assert self.redis is not None
        job = Queue.prepare_data("somos.mesh.worker.answer", args=(queue,), result_ttl=0, failure_ttl=60, ttl=60)
        # In one round trip, where enqueuing a single job takes two.
        with self.redis.pipeline() as pipeline:
            Queue(queue, connection=self.redis, serializer=JSONSerializer).enqueue_many([job], pipeline=pipeline)
            pipeline.execute()
