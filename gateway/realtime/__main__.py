"""`python -m gateway.realtime --port 8081`."""

import asyncio
import signal

import click

from gateway.realtime.hub import Hub
from gateway.realtime.tickets import from_tokens
from somos.mesh.log import configure
from somos.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8081, show_default=True)
def run(host: str, port: int) -> None:
    """The WebSocket hub."""
    settings = Settings.from_environment()
    configure(settings.log_level)
    asyncio.run(_serve(Hub(settings.redis_url, from_tokens(settings.jwt_public_key)), host, port))


async def _serve(hub: Hub, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with hub.open(host, port):
        await stop.wait()


run()
