"""The WebSocket hub: who hears what, and who is let go."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.realtime.hub import Hub
from gateway.realtime.redis_subscriber import CHANNEL
from gateway.realtime.tickets import Refused, Ticket
from somos.mesh import clock
from somos.policy.ended_sessions import note
from somos.policy.sessions import ENDED
from tests.harness.engines import start_valkey

ANA, BIA = "0192aaaa-0000-7000-8000-000000000001", "0192bbbb-0000-7000-8000-000000000002"


class Door:
    """Issues tokens and checks them, as the auth functions and the hub do."""

    def __init__(self) -> None:
        self._tickets: dict[str, Ticket] = {}

    def token(self, user: str = ANA, role: str = "Comercial", seconds: float = 900, session: str = "s") -> str:
        token = f"token-{len(self._tickets)}"
        self._tickets[token] = Ticket(user, role, clock.now().timestamp() + seconds, session, clock.now())
        return token

    def verify(self, token: str) -> Ticket:
        ticket = self._tickets.get(token)
        if ticket is None or ticket.expires <= clock.now().timestamp():
            raise Refused("token inválido")
        return ticket


class Stage:
    """A hub that listens, and the other side of its channel."""

    def __init__(self, hub: Hub, port: int, redis: AsyncRedis, door: Door) -> None:
        self.hub, self.redis, self.door = hub, redis, door
        self.url = f"ws://127.0.0.1:{port}/ws"
        self.port = port

    async def announce(self, type_: str, user: str | None = None, roles: tuple[str, ...] = (), **data: Any) -> None:
        message = {"id": "1", "type": type_, "data": data, "at": "2026-01-01T00:00:00Z"}
        await self.redis.publish(CHANNEL, json.dumps({**message, "to": {"user": user, "roles": roles}}))

    @asynccontextmanager
    async def joined(self, **who: Any) -> AsyncIterator[ClientConnection]:
        async with connect(self.url, additional_headers={"Authorization": f"Bearer {self.door.token(**who)}"}) as ws:
            assert (await heard(ws))["type"] == "ready"
            yield ws


async def heard(ws: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        message: dict[str, Any] = json.loads(await ws.recv())
        return message


async def closed(ws: ClientConnection) -> int:
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(10):
            while True:
                await ws.recv()
    assert ws.close_code is not None
    return ws.close_code


def play(redis_url: str, story: Callable[[Stage], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        door = Door()
        hub = Hub(redis_url, door.verify, **options)
        async with hub.open("127.0.0.1", 0) as port, AsyncRedis.from_url(redis_url) as redis:
            await asyncio.wait_for(hub.listening.wait(), 5)
            await story(Stage(hub, port, redis, door))

    asyncio.run(run())


def test_a_message_to_a_person_reaches_every_screen_of_that_person_and_no_other(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with (
            stage.joined(user=ANA) as desk,
            stage.joined(user=ANA) as phone,
            stage.joined(user=BIA) as other,
        ):
            await stage.announce("deal.opened", user=ANA, deal_id="7")
            await stage.announce("everyone", roles=("Comercial",))
            for screen in (desk, phone):
                assert await heard(screen) == {
                    "id": "1", "type": "deal.opened", "data": {"deal_id": "7"}, "at": "2026-01-01T00:00:00Z",
                }  # fmt: skip
            # The first thing the other Comercial hears is what was said after it.
            assert (await heard(other))["type"] == "everyone"

    play(redis_url, story)


def test_a_message_to_roles_reaches_those_roles_only(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with (
            stage.joined(user=ANA, role="Diretor") as diretor,
            stage.joined(user=BIA, role="Cliente") as cliente,
        ):
            await stage.announce("lead.accepted", roles=("Diretor", "Admin"))
            await stage.announce("invoice.ready", user=BIA)
            assert (await heard(diretor))["type"] == "lead.accepted"
            assert (await heard(cliente))["type"] == "invoice.ready"

    play(redis_url, story)


def test_a_message_addressed_to_nobody_reaches_nobody(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with stage.joined(user=ANA, role="Admin") as ws:
            await stage.announce("lost")
            await stage.redis.publish(CHANNEL, b"not json")
            await stage.redis.publish(CHANNEL, b'{"type": "no address"}')
            await stage.announce("next", user=ANA)
            assert (await heard(ws))["type"] == "next"

    play(redis_url, story)


def test_a_browser_shows_its_token_in_the_first_message_or_as_a_subprotocol(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with connect(stage.url) as ws:
            await ws.send(json.dumps({"token": stage.door.token(user=ANA)}))
            ready = await heard(ws)
            assert (ready["type"], ready["user"], ready["role"]) == ("ready", ANA, "Comercial")
        async with connect(stage.url, subprotocols=["somos", stage.door.token()]) as ws:  # type: ignore[list-item]
            assert ws.subprotocol == "somos"
            assert (await heard(ws))["type"] == "ready"
        async with connect(f"{stage.url}?token={stage.door.token()}") as ws:
            assert (await heard(ws))["type"] == "ready"

    play(redis_url, story)


def test_a_stranger_hears_nothing_and_is_closed(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with connect(f"{stage.url}?token=made-up") as ws:
            assert await closed(ws) == 4401
        async with connect(stage.url) as ws:
            await ws.send('{"hello": 1}')
            assert await closed(ws) == 4401
        assert stage.hub.health()["sockets"] == 0

    play(redis_url, story)


def test_who_never_shows_a_token_is_closed(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with connect(stage.url) as ws:
            assert await closed(ws) == 4408

    play(redis_url, story, first_token_within=0.05)


def test_the_connection_ends_when_the_token_does(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with stage.joined(seconds=1) as ws:
            assert await closed(ws) == 4401

    play(redis_url, story)


def test_the_connection_ends_when_the_persons_sign_ins_do(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with stage.joined(user=ANA) as demoted, stage.joined(user=BIA) as other:
            await stage.announce(ENDED, user=ANA)
            assert await closed(demoted) == 4401
            await stage.announce("next", user=BIA)
            assert (await heard(other))["type"] == "next"

    play(redis_url, story)


def test_the_connection_ends_when_its_own_sign_in_does_and_the_persons_others_stay(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with stage.joined(session="phone") as phone, stage.joined(session="laptop") as laptop:
            await stage.announce(ENDED, user=ANA, session="phone")
            assert await closed(phone) == 4401
            await stage.announce("next", user=ANA)
            assert (await heard(laptop))["type"] == "next"

    play(redis_url, story)


def test_a_token_of_a_sign_in_that_ended_opens_no_connection(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        demoted = uuid4()
        before = stage.door.token(user=str(demoted))
        with Redis.from_url(redis_url) as redis:
            note(redis, clock.now(), UUID(ANA), "lost phone")
            note(redis, clock.now() + timedelta(seconds=1), demoted)
        for token in (stage.door.token(user=ANA, session="lost phone"), before):
            async with connect(f"{stage.url}?token={token}") as ws:
                assert await closed(ws) == 4401
        async with stage.joined(user=ANA, session="laptop") as laptop:
            await laptop.send(json.dumps({"token": stage.door.token(user=ANA, session="lost phone")}))
            assert await closed(laptop) == 4401

    play(redis_url, story)


def test_a_fresh_token_keeps_the_connection_past_the_first_ones_end(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with (
            stage.joined(user=ANA, seconds=1.5) as first,
            stage.joined(user=BIA, seconds=1.5) as second,
        ):
            await first.send(json.dumps({"token": stage.door.token(user=ANA, role="Diretor")}))
            assert (await heard(first))["type"] == "refreshed"
            assert await closed(second) == 4401  # both were to end together
            await stage.announce("still.here", roles=("Diretor",))
            assert (await heard(first))["type"] == "still.here"

    play(redis_url, story)


def test_another_persons_token_does_not_take_over_a_connection(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        async with stage.joined(user=ANA) as ws:
            await ws.send(json.dumps({"token": stage.door.token(user=BIA)}))
            assert await closed(ws) == 4403

    play(redis_url, story)


def test_a_client_that_does_not_read_is_let_go_and_delays_nobody(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        stuck = socket.create_connection(("127.0.0.1", stage.port))
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.setblocking(False)
        await loop.sock_sendall(stuck, _handshake(stage.door.token(user=ANA, role="Comercial")))
        await loop.sock_recv(stuck, 128)
        async with stage.joined(user=BIA, role="Diretor") as quick:
            blob = "x" * 60_000
            for _ in range(40):
                for _ in range(40):
                    await stage.announce("noise", user=ANA, blob=blob)
                await stage.announce("ping", user=BIA)
                assert (await heard(quick))["type"] == "ping"
                if stage.hub.health()["slow"]:
                    break
            assert stage.hub.health()["slow"] >= 1
            async with asyncio.timeout(10):
                while stage.hub.health()["sockets"] > 1:
                    await stage.announce("ping", user=BIA)
                    await heard(quick)
        stuck.close()

    play(redis_url, story)


def test_the_hub_comes_back_when_redis_does_and_says_that_something_may_be_missing(tmp_path: Path) -> None:
    valkey = start_valkey(tmp_path)

    async def story(stage: Stage) -> None:
        async with stage.joined(user=ANA) as ws:
            valkey.stop()
            while stage.hub.listening.is_set():
                await asyncio.sleep(0)
            again = await asyncio.to_thread(start_valkey, tmp_path, port=valkey.port)
            try:
                assert (await heard(ws))["type"] == "resync"
                async with AsyncRedis.from_url(again.url) as redis:
                    stage.redis = redis
                    await stage.announce("after", user=ANA)
                    assert (await heard(ws))["type"] == "after"
            finally:
                again.stop()

    play(valkey.url, story)


def test_health_and_other_plain_requests_are_answered_without_a_socket(redis_url: str) -> None:
    async def story(stage: Stage) -> None:
        assert (await _get(stage.port, "/health")).startswith(b"HTTP/1.1 200")
        assert (await _get(stage.port, "/ws")).startswith(b"HTTP/1.1 426")
        assert (await _get(stage.port, "/elsewhere")).startswith(b"HTTP/1.1 404")

    play(redis_url, story)


async def _get(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def _handshake(token: str) -> bytes:
    return (
        f"GET /ws?token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
