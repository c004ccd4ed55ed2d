"""What the adapters' tests share: a real Redis, a settable clock, a provider to order about, the sandbox."""

import io
import logging
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
import requests
from redis.backoff import NoBackoff
from redis.retry import Retry

from infra.sandbox.config import Config
from infra.sandbox.serve import Sandbox, start
from somos.adapters.gate import Gate
from somos.adapters.http import ResilientClient
from somos.adapters.provider import Rate
from somos.adapters.resilience import Terms
from somos.mesh.log import configure
from somos.settings import Settings
from somos.wiring import Wiring
from tests.adapters.provider import Provider


class SetClock:
    """Time stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def store(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def no_redis() -> Iterator["redis.Redis"]:
    """A Redis that is not there."""
    with redis.Redis(port=closed_port(), socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
        yield client


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    yield server
    server.close()


@pytest.fixture
def gate(store: "redis.Redis", clock: SetClock) -> Callable[..., Gate]:
    def make(rate: Rate | None = None, jitter: Callable[[], float] = lambda: 0.0, **options: float) -> Gate:
        return Gate(store, "provider", clock, rate=rate, jitter=jitter, **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def client(provider: Provider, gate: Callable[..., Gate]) -> Callable[..., ResilientClient]:
    """Clients of the provider that never really wait."""

    def make(
        *,
        headers: dict[str, str] | None = None,
        url: str = "",
        rate: Rate | None = None,
        waits: list[float] | None = None,
        timeout: float = 5.0,
        scale: float = 1.0,
    ) -> ResilientClient:
        slept: list[float] = [] if waits is None else waits
        return ResilientClient(
            "provider",
            url or provider.url,
            headers=headers or {},
            gate=gate(rate),
            terms=Terms(timeout=timeout, backoff_scale=scale),
            sleep=slept.append,
        )

    return make


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """Everything the process logs, at DEBUG, as it is logged in production."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure("DEBUG")
    root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    with start(port=0) as sandbox:
        yield sandbox


class World:
    """The sandbox, as new, and what it was told and has seen."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url = sandbox.url
        self.reset()

    def reset(self) -> None:
        requests.post(f"{self.url}/_world/reset", json={}, timeout=5).raise_for_status()
        requests.delete(f"{self.url}/_world/faults", timeout=5).raise_for_status()

    def fault(self, provider: str, kind: str, **options: object) -> None:
        order = {"provider": provider, "kind": kind, **options}
        requests.post(f"{self.url}/_world/faults", json=order, timeout=5).raise_for_status()

    def sent(self, channel: str) -> list[dict[str, object]]:
        answer = requests.get(f"{self.url}/_world/sent", params={"channel": channel}, timeout=5)
        return list(answer.json())


@pytest.fixture
def world_now(sandbox_server: Sandbox) -> World:
    return World(sandbox_server)


@pytest.fixture
def wiring(world_now: World, redis_url: str, store: "redis.Redis", clock: SetClock) -> Wiring:
    """All ports, reaching the sandbox."""
    keys = Config()
    settings = Settings(
        redis_url=redis_url,
        outside={
            "EVOLUTION_URL": f"{world_now.url}/evolution",
            "EVOLUTION_API_KEY": keys.evolution_api_key,
            "EVOLUTION_WEBHOOK_TOKEN": keys.evolution_webhook_token,
            "RESEND_URL": f"{world_now.url}/resend",
            "RESEND_API_KEY": keys.resend_api_key,
            "RESEND_WEBHOOK_SECRET": keys.resend_webhook_secret,
            "SERPAPI_URL": f"{world_now.url}/serpapi",
            "SERPAPI_KEY": keys.serpapi_key,
            "OPENAI_BASE_URL": f"{world_now.url}/openai/v1",
            "OPENAI_API_KEY": keys.openai_api_key,
            "CNPJ_URL": f"{world_now.url}/cnpj",
            "SITES_PROXY": world_now.url,
        },
        backoff_scale=0,
    )
    return Wiring(settings, lambda: store, clock)
