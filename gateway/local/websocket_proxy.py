"""`/ws`: the upgrade is passed on to the realtime hub, so that one port serves everything in development."""

import asyncio
import contextlib

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from somos.mesh.bodies import Receive, Scope, Send

AWAY = 1013
# What a closing that carries no code is reported as; not to be sent.
UNSAID = (None, 1005, 1006)


class WebSocketProxy:
    """One connection to the hub per browser."""

    def __init__(self, hub: str) -> None:
        self._url = hub.replace("http", "ws", 1).rstrip("/") + "/ws"
        self._open: set[ClientConnection] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        try:
            hub = await self._connect(scope)
        except (OSError, TimeoutError, InvalidHandshake):
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": AWAY, "reason": "tempo real fora do ar; tente de novo"})
            return
        await send({"type": "websocket.accept", "subprotocol": hub.subprotocol})
        self._open.add(hub)
        upward = asyncio.create_task(_up(receive, hub))
        try:
            await _down(hub, send)
        finally:
            self._open.discard(hub)
            # granian holds a closing back, and breaks at its own end, while a receive is pending.
            upward.cancel()
            await asyncio.gather(upward, return_exceptions=True)
            await hub.close()
        with contextlib.suppress(OSError, RuntimeError):  # the browser left first
            code = 1000 if hub.close_code in UNSAID else hub.close_code
            await send({"type": "websocket.close", "code": code, "reason": hub.close_reason or ""})

    async def close(self) -> None:
        """Let everybody go; they come back when the gateway does."""
        await asyncio.gather(*(hub.close(1001) for hub in list(self._open)), return_exceptions=True)

    async def _connect(self, scope: Scope) -> ClientConnection:
        query = scope["query_string"].decode("latin-1")
        return await connect(
            f"{self._url}?{query}" if query else self._url,
            additional_headers=[
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in scope["headers"]
                if name == b"authorization"
            ],
            subprotocols=[Subprotocol(one) for one in scope.get("subprotocols") or ()] or None,
            compression=None,
            proxy=None,
            open_timeout=3,
            max_size=None,
        )


async def _up(receive: Receive, hub: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                await hub.close()
                return
            await hub.send(message.get("text") or message.get("bytes") or "")


async def _down(hub: ClientConnection, send: Send) -> None:
    with contextlib.suppress(ConnectionClosed, OSError, RuntimeError):
        async for message in hub:
            await send({"type": "websocket.send", "text": message})
