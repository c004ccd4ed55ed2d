"""Serve this unit's functions: `python -m somos.mesh.serve --port 8080` (SOMOS_FUNCTION names one of them)."""

import argparse
import gc
import os
from collections.abc import Callable
from typing import Any


def serve(app: Any, host: str, port: int, threads: int) -> None:
    """Answer with `threads` for blocking work until SIGTERM or SIGINT, then finish what was begun."""
    server(app, host, port, threads)()


def server(app: Any, host: str, port: int, threads: int) -> Callable[[], None]:
    """What serves when called: until then nothing is bound, so that it may be made before a fork.

    In the very process that calls it: granian's own supervisor would be a second one, and whoever starts a unit (a
    container's runtime, the zygote) already starts it again when it ends.
    """
    from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.mp import MPServer

    made = MPServer(
        "somos.mesh.host:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=threads,
        runtime_mode=RuntimeModes.mt,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(),
        log_level=LogLevels.error,
    )

    def run() -> None:
        made._init_shared_socket()  # type: ignore[no-untyped-call]
        # What granian's supervisor would start as its worker process.
        made._spawn_worker(0, MPServer._spawn_wsgi_worker, lambda: app).inner.run()

    return run


def main() -> None:
    # Loading makes what stays: collections meanwhile walk all of it, several times, for nothing.
    gc.disable()
    # Nobody here extends pydantic; looking for who might reads the metadata of every package on disk.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    parser = argparse.ArgumentParser(prog="somos.mesh.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8080")))
    parser.add_argument("--threads", type=int, default=int(os.environ.get("THREADS", "4")))
    asked = parser.parse_args()
    from somos.mesh.host import app

    loaded = app()
    gc.freeze()
    gc.enable()
    serve(loaded, asked.host, asked.port, asked.threads)


if __name__ == "__main__":
    main()
