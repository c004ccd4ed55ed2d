"""Watches whether the client of a slow read is still connected; the work of one that left is abandoned."""

import asyncio
from typing import Any, Final, TypeVar

from somos.mesh import cancellation
from somos.mesh.bodies import Receive
from somos.mesh.log import log
from somos.mesh.threads import Job

T = TypeVar("T")
# Later than nearly every answer, so that watching costs the quick ones next to nothing.
AFTER_S: Final = 1.0


async def result_unless_disconnected(job: Job[T], method: str, receive: Receive) -> T:
    """The result of a request's job. Raises Abandoned when the client of a read left before it.

    What was to be changed is changed, whether or not somebody waits for the answer.
    """
    if method not in ("GET", "HEAD"):
        return await job
    watch = _Watch(job, receive)
    try:
        return await job
    finally:
        watch.end()


class _Watch:
    """Of one job, from `AFTER_S` after it was asked for until `end`."""

    def __init__(self, job: Job[Any], receive: Receive) -> None:
        self._job, self._receive = job, receive
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(AFTER_S, self._begin)

    def end(self) -> None:
        self._timer.cancel()
        if self._task:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._until_left())

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        asyncio.get_running_loop().run_in_executor(None, self._free)
        self._job.abandon()

    def _free(self) -> None:
        log.info("client_disconnected", statements_cancelled=cancellation.cancel_statements(lambda: self._job.thread))
