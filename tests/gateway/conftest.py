"""A development gateway over the test's own servers, on a free port, in a thread of the test's process."""

import asyncio
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from gateway.local.app import GatewayApp
from gateway.local.serve import serve
from gateway.realtime.hub import Hub
from gateway.realtime.tickets import from_tokens
from somos.local.addresses import free_port
from somos.mesh.runtime import Runtime
from tests.harness.mesh import Mesh, Person

PASSWORD = "senha-do-openfaas"


@dataclass
class Gateway:
    """What a test asks of a running gateway."""

    port: int
    mesh: Mesh
    app: GatewayApp
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, what: str, as_: Person | None = None, **options: Any) -> requests.Response:
        """`gateway.call("GET /health")`; `admin=True` sends OpenFaaS's credentials."""
        method, _, path = what.partition(" ")
        headers = dict(options.pop("headers", {}))
        if as_ is not None:
            headers["Authorization"] = f"Bearer {as_.token}"
        if options.pop("admin", False):
            options["auth"] = ("admin", PASSWORD)
        return self.http.request(method, self.url + path, headers=headers, timeout=10, **options)


@pytest.fixture
def gateway(committed: Mesh) -> Iterator[Gateway]:
    """A gateway and its realtime hub."""
    gateway_port, hub_port = free_port(), free_port()
    runtime = committed.runtime
    app = GatewayApp(committed.functions, runtime, f"http://127.0.0.1:{hub_port}", PASSWORD)
    ended = threading.Event()
    thread = threading.Thread(target=_serve, args=(app, runtime, gateway_port, hub_port, ended))
    thread.start()
    made = Gateway(gateway_port, committed, app)
    _wait(gateway_port)
    yield made
    made.http.close()
    ended.set()
    thread.join(20)


def _serve(app: GatewayApp, runtime: Runtime, port: int, hub_port: int, ended: threading.Event) -> None:
    async def run() -> None:
        stop = asyncio.Event()
        hub = Hub(runtime.settings.redis_url, from_tokens(runtime.settings.jwt_public_key))
        async with hub.open("127.0.0.1", hub_port):
            serving = asyncio.create_task(serve(app, "127.0.0.1", port, stop))
            await asyncio.to_thread(ended.wait)
            stop.set()
            await serving

    asyncio.run(run())


def _wait(port: int) -> None:
    for _ in range(500):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return
        except OSError:
            threading.Event().wait(0.01)
        finally:
            connection.close()
    raise AssertionError("the gateway did not come up")
