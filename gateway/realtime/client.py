"""One socket: what waits to be sent to it, and when it must show a fresh token."""

import asyncio
import contextlib
import json
from collections import deque
from enum import IntEnum
from typing import Any
from uuid import UUID

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from gateway.realtime.tickets import Ticket
from somos.mesh import clock
from somos.policy.ended_sessions import EndedSessions

# A person's screen that falls this far behind is asked to come back: it would show the past anyway.
WAITING_LIMIT = 256
CLOSE_GRACE = 2.0


class Close(IntEnum):
    """Why the hub ends a connection; 4000-4999 are ours by RFC 6455."""

    RESTART = 1012
    SLOW = 1013
    UNAUTHORISED = 4401
    OTHER_PERSON = 4403
    SILENT = 4408


class Client:
    """A signed-in socket. Sending never waits: messages queue up, and a client that lags is let go."""

    def __init__(self, socket: ServerConnection, ticket: Ticket) -> None:
        self.socket = socket
        self.ticket = ticket
        self.slow = False
        self._waiting: deque[str] = deque()
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._deadline: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._writer = self._loop.create_task(self._write())
        self.admit(ticket)

    def admit(self, ticket: Ticket) -> None:
        """Stay until this ticket ends."""
        self.ticket = ticket
        if self._deadline:
            self._deadline.cancel()
        remaining = max(0.0, ticket.expires - clock.now().timestamp())
        self._deadline = self._loop.call_later(remaining, self.leave, Close.UNAUTHORISED, "o token expirou")

    def is_over(self, ended: EndedSessions) -> bool:
        """Whether the sign-in ended though the token goes on."""
        return ended.covers(UUID(self.ticket.user), self.ticket.session, self.ticket.issued)

    def offer(self, text: str) -> bool:
        """Queue a message; False when this client lags and is being let go."""
        if self.slow:
            return False
        if len(self._waiting) >= WAITING_LIMIT:
            self.slow = True
            self._waiting.clear()
            self.leave(Close.SLOW, "a conexão ficou lenta; conecte de novo")
            return False
        self._waiting.append(text)
        self._wake.set()
        return True

    def tell(self, kind: str, **data: Any) -> None:
        """A message of the hub itself."""
        self.offer(json.dumps({"type": kind, **data}, ensure_ascii=False))

    def leave(self, code: Close, why: str) -> None:
        """Close, politely if the peer still reads."""
        task = self._loop.create_task(self._close(code, why))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def gone(self) -> None:
        """The socket is closed: stop everything that was for it."""
        if self._deadline:
            self._deadline.cancel()
        self._writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._writer

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self.socket.send(self._waiting.popleft())

    async def _close(self, code: Close, why: str) -> None:
        self._writer.cancel()
        try:
            async with asyncio.timeout(CLOSE_GRACE):
                await self.socket.close(code, why)
        except (TimeoutError, ConnectionClosed):
            self.socket.transport.abort()  # a peer that does not read cannot say goodbye
