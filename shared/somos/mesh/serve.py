"""Serve this unit's functions: `python -m somos.mesh.serve --port 8080` (SOMOS_FUNCTION names one of them)."""

import argparse
import gc
import os
from typing import Any


def serve(app: Any, host: str, port: int, threads: int) -> None:
    """One worker process with `threads` for blocking work; returns after a graceful stop."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    # What is loaded now is shared with the forked worker: keep the collector from touching it.
    gc.collect()
    gc.freeze()
    Server(
        "somos.mesh.host:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        log_level=LogLevels.warning,
        workers_kill_timeout=30,
        respawn_failed_workers=True,
    ).serve(target_loader=lambda *_: app, wrap_loader=False)


def serve_here(app: Any, host: str, port: int, threads: int) -> None:
    """The same in this very process, without a supervisor of its own: for a sibling that its parent watches."""
    from granian.constants import HTTPModes, Interfaces, RuntimeModes
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.mp import MPServer

    server = MPServer(
        "somos.mesh.host:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=threads,
        runtime_mode=RuntimeModes.mt,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(),
        log_level=LogLevels.warning,
    )
    server._init_shared_socket()  # type: ignore[no-untyped-call]
    # What granian's supervisor would start as its worker process.
    server._spawn_worker(0, MPServer._spawn_wsgi_worker, lambda: app).inner.run()


def main() -> None:
    parser = argparse.ArgumentParser(prog="somos.mesh.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8080")))
    parser.add_argument("--threads", type=int, default=int(os.environ.get("THREADS", "4")))
    asked = parser.parse_args()
    from somos.mesh.host import app

    serve(app(), asked.host, asked.port, asked.threads)


if __name__ == "__main__":
    main()
