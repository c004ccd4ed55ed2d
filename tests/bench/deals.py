"""Reading deals: one, and a page of fifty out of a hundred thousand, beside the same endpoints in FastAPI."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from tests.bench.cold_start import HEALTH, unit_command
from tests.bench.load import Served, flat_out, steady
from tests.bench.rows import Budget, Row
from tests.bench.setting import Setting, answers, free_port, process

LIST = ["/api/v1/deals?limit=50"]


@dataclass(frozen=True)
class Side:
    """One of the two that answer."""

    name: str
    command: Callable[[int], list[str]]
    ready: str


def _fastapi_command(port: int) -> list[str]:
    uvicorn = str(Path(sys.executable).with_name("uvicorn"))
    return [uvicorn, "tests.bench.peers.fastapi_deals:app", "--port", str(port), "--log-level", "warning"]


OURS = Side("ours", unit_command, HEALTH)
PEER = Side("peer", _fastapi_command, "/ready")


def one_deal(setting: Setting, quick: bool) -> list[Row]:
    """Requests a second, eight connections, one worker each; with the default driver and with the faster one."""
    paths = [f"/api/v1/deals/{id}" for id in setting.deals]
    rows = []
    for driver in ("pg8000", "psycopg"):
        there = replace_driver(setting, driver)
        ours, peer = _both(there, 2 if quick else 3, lambda port, there=there: _flat_out(there, port, paths, quick))
        rows.append(
            Row(
                "GET one deal" if driver == "pg8000" else f"GET one deal, {driver}",
                median(one.per_second for one in ours),
                median(one.per_second for one in peer),
                "requests/s",
                Budget(1.0, 1.5, "at least", of="ratio") if driver == "pg8000" else None,
                f"p95 ours {_p95(ours):.1f} ms, peer {_p95(peer):.1f} ms",
            )
        )
    return rows


def list_of_deals(setting: Setting, quick: bool) -> list[Row]:
    """p95 of pages of fifty while thirty a second are asked for, whatever the answers do."""
    assert setting.deals
    seconds = 4 if quick else 8
    ours, peer = _both(setting, 2, lambda port: _steady(setting, port, seconds))
    return [
        Row(
            "list of 50 of 100 000 deals, p95 at 30/s",
            _p95(ours),
            _p95(peer),
            "ms",
            Budget(200, 30),
            f"p50 ours {median(one.p50 for one in ours):.1f} ms, peer {median(one.p50 for one in peer):.1f} ms",
        )
    ]


def replace_driver(setting: Setting, driver: str) -> Setting:
    """The same servers through another driver."""
    assert setting.deals
    there = replace(setting, driver=driver)
    there.__dict__.update({name: value for name, value in setting.__dict__.items() if name != "driver"})
    return there


def _flat_out(setting: Setting, port: int, paths: list[str], quick: bool) -> Served:
    flat_out(port, paths[:100], setting.token(), 0.5)
    return flat_out(port, paths, setting.token(), 2 if quick else 4)


def _steady(setting: Setting, port: int, seconds: float) -> Served:
    flat_out(port, LIST, setting.token(), 1)
    return steady(port, LIST, setting.token(), seconds)


def _both(setting: Setting, times: int, load: Callable[[int], Served]) -> tuple[list[Served], list[Served]]:
    """Turn by turn, each alone on the machine while it is measured."""
    found: dict[str, list[Served]] = {OURS.name: [], PEER.name: []}
    for _ in range(times):
        for side in (PEER, OURS):
            port = free_port()
            environment = setting.environment(SOMOS_FUNCTION="crm-deals")
            with process(side.command(port), environment, setting.log(side.name)) as running:
                answers(port, side.ready, running)
                served = load(port)
            if served.failures:
                raise RuntimeError(f"{side.name} refused {served.failures} requests; see {setting.log(side.name)}")
            found[side.name].append(served)
    return found[OURS.name], found[PEER.name]


def _p95(served: list[Served]) -> float:
    return median(one.p95 for one in served)
