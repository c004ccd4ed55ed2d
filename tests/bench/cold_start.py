"""From exec to the first 200: a core unit beside functions-framework's own server with a bare function."""

import statistics
import sys
import time
from pathlib import Path

from tests.bench.rows import Budget, Row
from tests.bench.setting import PYTHON, Setting, answers, free_port, process

HEALTH = "/_/health"
BARE = str(Path(__file__).parent / "peers" / "bare.py")


def unit_command(port: int) -> list[str]:
    """Without docstrings, as the environment of every core unit says."""
    return [PYTHON, "-OO", "-m", "somos.mesh.serve", "--port", str(port)]


def bare_command(port: int) -> list[str]:
    framework = str(Path(sys.executable).with_name("functions-framework"))
    return [framework, "--target", "main", "--source", BARE, "--host", "127.0.0.1", "--port", str(port)]


def cold_start(setting: Setting, quick: bool) -> list[Row]:
    """Interleaved, so that both see the same machine; medians. The first of each only compiles, as an image's build."""
    ours: list[float] = []
    peers: list[float] = []
    _start(setting, bare_command, "/")
    _start(setting, unit_command, HEALTH)
    for _ in range(5 if quick else 15):
        peers.append(_start(setting, bare_command, "/"))
        ours.append(_start(setting, unit_command, HEALTH))
    row = Row(
        "cold start of a core unit",
        statistics.median(ours),
        statistics.median(peers),
        "ms",
        Budget(1.0, 0.75, of="ratio"),
        f"best of {len(ours)}: ours {min(ours):.0f} ms, peer {min(peers):.0f} ms",
    )
    return [row]


def _start(setting: Setting, command: object, path: str) -> float:
    port = free_port()
    environment = setting.environment(SOMOS_FUNCTION="crm-deals")
    begun = time.perf_counter()
    with process(command(port), environment, setting.log("cold-start")) as running:  # type: ignore[operator]
        answers(port, path, running)
        return (time.perf_counter() - begun) * 1000
