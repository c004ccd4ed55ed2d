"""Wakes workers through Redis, which then ask PostgreSQL what is due. Losing a wake-up loses only time."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from somos.mesh.ids import uuid7
from somos.mesh.log import log

if TYPE_CHECKING:
    import redis

WAKE_TTL_MS = 2_000
REALTIME = "somos:realtime"


def announcement(
    type: str, data: dict[str, Any], at: datetime, *, user: UUID | None = None, role: str | None = None
) -> dict[str, Any]:
    """A message for the realtime hub, with its recipients."""
    to = {"user": user, "roles": [role] if role else []}
    return {"id": uuid7(), "type": type, "data": data, "at": at.isoformat(), "to": to}


class Notifier:
    """Wakes workers through RQ and publishes to connected people through pub/sub. Never raises."""

    def __init__(self, client: "redis.Redis | None") -> None:
        self.redis = client

    def wake(self, queues: Iterable[str]) -> None:
        """One job per queue; a wake-up that no worker took yet is not repeated."""
        if self.redis is None:
            return
        from redis import RedisError

        try:
            for queue in queues:
                if self.redis.set(f"somos:wake:{queue}", "1", nx=True, px=WAKE_TTL_MS):
                    self._enqueue(queue)
        except RedisError as error:
            log.warning("queue_wake_failed", error=type(error).__name__)

    def clear_wake(self, queue: str) -> None:
        """A worker is about to look; whatever is committed from now on must wake it again."""
        assert self.redis is not None
        self.redis.delete(f"somos:wake:{queue}")

    def publish(self, messages: Iterable[dict[str, Any]]) -> None:
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
        job = Queue.prepare_data("somos.mesh.worker.wake", args=(queue,), result_ttl=0, failure_ttl=60, ttl=60)
        # In one round trip, where enqueuing a single job takes two.
        with self.redis.pipeline() as pipeline:
            Queue(queue, connection=self.redis, serializer=JSONSerializer).enqueue_many([job], pipeline=pipeline)
            pipeline.execute()
