"""Serve this unit's functions: `python -m somos.mesh.serve --port 8080` (SOMOS_FUNCTION names one of them)."""

import argparse
import asyncio
import gc
import os
import re
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from somos.mesh.dispatch import Application

# What the watchdog forwarded just before it stopped accepting still has to arrive.
MARGIN_S = 1.0
# The watchdog's own setting; it hands its environment down.
INTERVAL = "healthcheck_interval"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}


def serve(app: "WSGIApplication", application: "Application", host: str, port: int, threads: int) -> None:
    """Answer with `threads` for blocking work until SIGTERM or SIGINT, then finish what was begun.

    `app` answers, `application` says how much may be sent to whom.
    """
    server(app, application, host, port, threads)()


def server(
    app: "WSGIApplication", application: "Application", host: str, port: int, threads: int
) -> Callable[[], None]:
    """What serves when called: until then nothing is bound and no thread runs, so that it may be made before a fork.

    In the very process that calls it: granian's own supervisor would be a second one, and whoever starts a unit (a
    container's runtime, the fork server) already starts it again when it ends.
    """
    return lambda: asyncio.run(_until_stopped(app, application, host, port, threads))


async def _until_stopped(
    app: "WSGIApplication", application: "Application", host: str, port: int, threads: int
) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.server.embed import Server

    from somos.mesh.asgi import AsgiApplication

    asgi = AsgiApplication(app, application, threads)
    embedded = Server(
        asgi,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        log_enabled=False,
        backlog=1024,
    )
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    serving = asyncio.create_task(embedded.serve())
    ending = asyncio.create_task(stopping.wait())
    await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        asgi.ending = True
        await asyncio.sleep(accepting_s(os.environ.get(INTERVAL, "")))
        embedded.stop()  # type: ignore[no-untyped-call]
    await serving
    asgi.stop()


def accepting_s(interval: str) -> float:
    """How long to go on accepting after SIGTERM: the watchdog passes it on at once, and accepts for that interval
    itself (as Go writes it, `5s`, or plain seconds). Without a watchdog whoever stops a unit has turned away first."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|)", interval)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts) + MARGIN_S if parts else 0.0


def main() -> None:
    # Loading makes what stays: collections meanwhile walk all of it, several times, for nothing.
    gc.disable()
    # Nobody here extends pydantic; looking for who might reads the metadata of every package on disk.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    parser = argparse.ArgumentParser(prog="somos.mesh.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8080")))
    parser.add_argument("--threads", type=int, default=int(os.environ.get("THREADS", "4")))
    arguments = parser.parse_args()
    from somos.mesh.unit import application, wsgi

    dispatcher = application()
    gc.freeze()
    gc.enable()
    serve(wsgi, dispatcher, arguments.host, arguments.port, arguments.threads)


if __name__ == "__main__":
    main()
