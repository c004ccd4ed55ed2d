"""The hub: admits sockets by token and hands each announcement to exactly those who may see it."""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from gateway.realtime.client import CLOSE_GRACE, Client, Close
from gateway.realtime.redis_subscriber import RedisSubscriber
from gateway.realtime.tickets import Refused, Ticket, Verify
from somos.policy.sessions import ENDED

PROTOCOL = "somos"
FIRST_TOKEN_WITHIN = 10.0
OVER = "o acesso foi encerrado; entre de novo"
log = logging.getLogger("somos.realtime")


class Hub:
    """All sockets of this process, found by person and by role."""

    def __init__(self, redis_url: str, verify: Verify, first_token_within: float = FIRST_TOKEN_WITHIN) -> None:
        self._verify = verify
        self._first_token_within = first_token_within
        self._subscriber = RedisSubscriber(redis_url, self.announce, self._resync)
        self._by_user: dict[str, set[Client]] = defaultdict(set)
        self._by_role: dict[str, set[Client]] = defaultdict(set)
        self._checking: asyncio.Task[None] | None = None
        self.counts = {"sockets": 0, "announced": 0, "sent": 0, "slow": 0, "refused": 0}

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[int]:
        """Accept sockets while the block runs; gives the port. Leaving it sends everyone a goodbye."""
        listening = asyncio.create_task(self._subscriber.listen())
        try:
            async with serve(
                self._talk,
                host,
                port,
                process_request=self._plain_http,
                select_subprotocol=_choose_protocol,
                compression=None,  # short messages: compressing costs more time than it saves bytes
                max_size=16 * 1024,
                close_timeout=CLOSE_GRACE,
                ping_interval=20,
                ping_timeout=20,
            ) as server:
                yield next(iter(server.sockets)).getsockname()[1]
                for client in self._everyone():
                    client.leave(Close.RESTART, "o servidor está reiniciando")
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await self._subscriber.close()

    @property
    def listening(self) -> asyncio.Event:
        """Set while announcements are received."""
        return self._subscriber.listening

    def announce(self, raw: bytes) -> None:
        """Send one message of the mesh to those it is addressed to; addressed to nobody, it goes nowhere."""
        try:
            message = json.loads(raw)
            to = message.pop("to") or {}
            clients = set(self._by_user.get(to.get("user") or "", ()))
            for role in to.get("roles") or ():
                clients |= self._by_role.get(role, set())
        except (ValueError, AttributeError, KeyError, TypeError):
            log.error("announcement_unreadable")
            return
        self.counts["announced"] += 1
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        if message.get("type") == ENDED:
            session = (message.get("data") or {}).get("session")
            self._let_go(client for client in clients if session in (None, client.ticket.session))
            return
        for client in clients:
            self.counts["sent" if client.offer(text) else "slow"] += 1

    def health(self) -> dict[str, Any]:
        listening = self._subscriber.listening.is_set()
        return {"status": "ok" if listening else "degraded", "redis": listening, **self.counts}

    async def _talk(self, socket: ServerConnection) -> None:
        client: Client | None = None
        try:
            token = _token_of(socket.request) or await self._first_token(socket)
            client = self._admit(socket, self._verify(token))
            await self._refuse_if_over(client)
            client.tell(
                "ready", user=client.ticket.user, role=client.ticket.role, expires_at=_iso(client.ticket.expires)
            )
            async for text in socket:
                await self._listen_to(client, text)
        except TimeoutError:
            await socket.close(Close.SILENT, 'mande {"token": ...} ao conectar')
        except Refused as refusal:
            self.counts["refused"] += 1
            await socket.close(Close.UNAUTHORISED, str(refusal))
        except ConnectionClosed:
            pass
        finally:
            if client:
                self._forget(client)
                await client.gone()

    async def _first_token(self, socket: ServerConnection) -> str:
        async with asyncio.timeout(self._first_token_within):
            return _token_in(await socket.recv()) or ""

    def _admit(self, socket: ServerConnection, ticket: Ticket) -> Client:
        # Found before it is checked: a sign-in that ends meanwhile is announced to it.
        client = Client(socket, ticket)
        self._by_user[ticket.user].add(client)
        self._by_role[ticket.role].add(client)
        self.counts["sockets"] += 1
        return client

    async def _refuse_if_over(self, client: Client) -> None:
        if client.is_over(await self._subscriber.ended_sessions()):
            raise Refused(OVER)

    async def _check_everyone(self) -> None:
        ended = await self._subscriber.ended_sessions()
        self._let_go(client for client in self._everyone() if client.is_over(ended))

    def _let_go(self, clients: Iterable[Client]) -> None:
        for client in clients:
            client.leave(Close.UNAUTHORISED, OVER)

    async def _listen_to(self, client: Client, text: str | bytes) -> None:
        if token := _token_in(text):
            ticket = self._verify(token)
            if ticket.user != client.ticket.user:
                client.leave(Close.OTHER_PERSON, "o token é de outra pessoa; abra outra conexão")
                return
            self._by_role[client.ticket.role].discard(client)
            self._by_role[ticket.role].add(client)
            client.admit(ticket)
            await self._refuse_if_over(client)
            client.tell("refreshed", expires_at=_iso(ticket.expires))
        else:
            client.tell("pong")

    def _forget(self, client: Client) -> None:
        self.counts["sockets"] -= 1
        for index, key in ((self._by_user, client.ticket.user), (self._by_role, client.ticket.role)):
            index[key].discard(client)
            if not index[key]:
                del index[key]

    def _resync(self) -> None:
        """Redis was away: whoever shows live state should read it again, if their sign-in did not end meanwhile."""
        for client in self._everyone():
            client.tell("resync")
        self._checking = asyncio.create_task(self._check_everyone())

    def _everyone(self) -> Iterable[Client]:
        return {client for clients in self._by_user.values() for client in clients}

    def _plain_http(self, _: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path == "/health":
            health = self.health()
            return _json(HTTPStatus.OK if health["redis"] else HTTPStatus.SERVICE_UNAVAILABLE, health)
        if path != "/ws":
            return _json(HTTPStatus.NOT_FOUND, {"detail": "aqui só há /ws e /health"})
        if "upgrade" not in request.headers.get("Connection", "").lower():
            return _json(HTTPStatus.UPGRADE_REQUIRED, {"detail": "abra /ws como WebSocket"})
        return None


def _choose_protocol(_: ServerConnection, offered: Any) -> Subprotocol | None:
    return Subprotocol(PROTOCOL) if PROTOCOL in offered else None


def _token_of(request: Request | None) -> str | None:
    """The token that came with the handshake: `Authorization`, `Sec-WebSocket-Protocol: somos, <token>`
    (browsers cannot set other headers) or `?token=`."""
    if request is None:
        return None
    bearer = request.headers.get("Authorization", "")
    if bearer.lower().startswith("bearer "):
        return bearer[7:].strip()
    offered = [p.strip() for p in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if PROTOCOL in offered and len(offered) > 1:
        return next(p for p in offered if p != PROTOCOL)
    return next(iter(parse_qs(urlsplit(request.path).query).get("token", [])), None)


def _token_in(text: str | bytes) -> str | None:
    try:
        token = json.loads(text)["token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return token if isinstance(token, str) else None


def _json(status: HTTPStatus, body: dict[str, Any]) -> Response:
    raw = json.dumps(body, ensure_ascii=False).encode()
    headers = Headers({"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(raw))})
    return Response(status.value, status.phrase, headers, raw)


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z")
