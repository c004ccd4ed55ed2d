"""Subscribes to the channel where the mesh announces, and reconnects for as long as it takes."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from somos.mesh import clock
from somos.policy import ended_sessions
from somos.policy.ended_sessions import EndedSessions

CHANNEL = "somos:realtime"
log = logging.getLogger("somos.realtime")


class RedisSubscriber:
    """A Redis subscription that comes back by itself. Announcements made while it was away are lost by
    design; `on_reconnect` lets the hub say so."""

    def __init__(self, url: str, on_message: Callable[[bytes], None], on_reconnect: Callable[[], None]) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=2, health_check_interval=15)
        self._on_message = on_message
        self._on_reconnect = on_reconnect
        self.listening = asyncio.Event()

    async def listen(self) -> None:
        """Run until cancelled."""
        failures = 0
        lost_some = False
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=False) as channel:
                    await channel.subscribe(CHANNEL)
                    async for message in channel.listen():
                        if message["type"] == "subscribe":
                            failures = 0
                            self.listening.set()
                            if lost_some:
                                self._on_reconnect()
                            lost_some = True
                        elif message["type"] == "message":
                            self._on_message(message["data"])
            except (RedisError, OSError) as error:
                self.listening.clear()
                failures += 1
                log.warning("redis_unreachable", extra={"failures": failures, "error": type(error).__name__})
                await asyncio.sleep(random.uniform(0.02, 0.05) * min(2**failures, 32))

    async def ended_sessions(self) -> EndedSessions:
        """The sign-ins that ended lately; none while Redis is away, when nothing is announced either."""
        since = (clock.now() - ended_sessions.LOOK_BACK).timestamp()
        try:
            members: Any = await self._redis.zrangebyscore(ended_sessions.KEY, since, "+inf")
            return ended_sessions.noted(members)
        except (RedisError, OSError) as error:
            log.warning("ended_sessions_unreadable", extra={"error": type(error).__name__})
            return EndedSessions()

    async def close(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()
