"""Serves the gateway with granian, in this one process: what is killed leaves nothing behind."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

from granian.constants import Interfaces
from granian.server.embed import Server

from gateway.local.app import GatewayApp
from gateway.local.hosts import Hosts, StepHosts, UnitHosts
from gateway.local.steps import StepsProcess
from somos.cli.needs import needs_of
from somos.local.environment import FOLDER
from somos.local.secrets import kept_password
from somos.local.unit_processes import UnitProcesses
from somos.mesh.declare import Function
from somos.mesh.derive.placement import Grain, Placement, of_grain
from somos.mesh.derive.units import units
from somos.mesh.dispatch import Application
from somos.mesh.loader import load
from somos.mesh.log import configure, log
from somos.mesh.routes import Routes
from somos.mesh.runtime import Runtime, use
from somos.settings import Settings

GRAINS = get_args(Grain)
HUB = "http://127.0.0.1:8081"
# Threads waiting for the interpreter get it after this long; the default of 5 ms is a WebSocket's whole budget.
SWITCH_S = 0.001


async def serve(gateway: GatewayApp, host: str, port: int, stop: asyncio.Event) -> None:
    """Answer until `stop`."""
    server = Server(gateway, address=host, port=port, interface=Interfaces.ASGINL, log_enabled=False, backlog=1024)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not serving.done():
        await gateway.let_go()
        server.stop()  # type: ignore[no-untyped-call]
    await serving
    gateway.stop()


def main(host: str, port: int) -> None:
    """The process: settings from the environment, every function, and a gateway over them."""
    settings = Settings.from_environment()
    configure(settings.log_level)
    # One process answers for all, so it holds more connections than a unit of its own does.
    runtime = Runtime(replace(settings, pool_size=max(settings.pool_size, 16)))
    use(runtime)
    functions = load()
    # The declarations that run here, not the file: it may be older than what was just edited.
    declared = Routes.of(functions.values())
    if "SOMOS_STACK" in os.environ:
        _keep(declared, Path(settings.routes_file))  # the stack's own file: its workers and relay start after us
    elif not _same(declared, settings.routes_file):
        log.warning("routes_file_stale", do="somos derive", file=settings.routes_file)
    runtime.routes = declared
    sys.setswitchinterval(SWITCH_S)
    with _hosts(functions, runtime) as hosts:
        gateway = GatewayApp(functions, runtime, os.environ.get("REALTIME_URL", HUB), _password(), hosts)
        logging.getLogger("somos").addHandler(gateway.logs)
        hosts.log_to(gateway.logs)
        asyncio.run(_until_stopped(gateway, hosts, host, port))


@contextlib.contextmanager
def _hosts(functions: dict[str, Function], runtime: Runtime) -> Iterator[Hosts]:
    """Everything here and steps beside it, or with SOMOS_GRAIN, units as processes of their own."""
    grain = os.environ.get("SOMOS_GRAIN", "all")
    if grain == "all":
        with StepsProcess.forked(Application(functions, runtime)) as child:
            yield StepHosts(functions, runtime, child)
        return
    if grain not in GRAINS:
        raise SystemExit(f"SOMOS_GRAIN={grain!r}: use {', '.join(GRAINS)}")
    placement = Placement.load()
    placed = units(functions.values(), of_grain(cast(Grain, grain)), placement, needs_of)
    processes = UnitProcesses(placed, os.environ, FOLDER / "run" / "units")
    processes.start()
    try:
        yield UnitHosts(functions, runtime, processes)
    finally:
        processes.stop()


async def _until_stopped(gateway: GatewayApp, hosts: Hosts, host: str, port: int) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def child_ended() -> None:
        if not hosts.live():
            log.error("steps_process_ended")
            stop.set()  # whoever keeps this process alive starts both again

    loop.add_signal_handler(signal.SIGCHLD, child_ended)
    threading.Thread(target=gateway.prepare, name="prepare", daemon=True).start()
    await serve(gateway, host, port, stop)


def _password() -> str:
    """For /system: given, or made once beside the stack's other secrets."""
    return os.environ.get("SOMOS_OPENFAAS_PASSWORD") or kept_password(FOLDER / "secrets", "openfaas-password")


def _keep(declared: Routes, file: Path) -> None:
    part = file.with_name(file.name + ".part")
    part.write_text(json.dumps(declared.as_json()))
    part.replace(file)


def _same(declared: Routes, file: str) -> bool:
    """Whether workers and relay, which read the file, know what this process knows."""
    try:
        return Routes.load(file).as_json() == declared.as_json()
    except (OSError, ValueError, KeyError, TypeError):
        return False
