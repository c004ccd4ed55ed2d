"""From the commit to the person's screen: the hub with a WebSocket client, beside FastAPI doing the same."""

import json
import statistics
import sys
import threading
import time
from pathlib import Path

from websockets.sync.client import ClientConnection, connect

from tests.bench.hop import noting_commits
from tests.bench.mesh import Mesh
from tests.bench.rows import Budget, Row
from tests.bench.setting import PYTHON, Setting, answers, free_port, process

PAUSE_S = 0.02


def realtime(setting: Setting, quick: bool) -> list[Row]:
    messages = 60 if quick else 250
    uvicorn = str(Path(sys.executable).with_name("uvicorn"))
    mesh = Mesh(setting)
    try:
        ours = _measure(mesh, [PYTHON, "-m", "gateway.realtime"], messages)
        peer = _measure(mesh, [uvicorn, "tests.bench.peers.fastapi_ws:app", "--log-level", "warning"], messages)
    finally:
        mesh.runtime.engine.dispose()
    row = Row(
        "commit to WebSocket client, p95",
        _p95(ours),
        _p95(peer),
        "ms",
        Budget(50, 15),
        f"p50 ours {statistics.median(ours):.1f} ms, peer (FastAPI) {statistics.median(peer):.1f} ms",
    )
    return [row]


def _measure(mesh: Mesh, command: list[str], messages: int) -> list[float]:
    """Milliseconds of each message, one at a time."""
    port = free_port()
    with process([*command, "--port", str(port)], mesh.environment(), mesh.setting.log("realtime")) as running:
        answers(port, "/health", running)
        headers = {"Authorization": f"Bearer {mesh.setting.token()}"}
        with connect(f"ws://127.0.0.1:{port}/ws", additional_headers=headers) as socket:
            json.loads(socket.recv(10))
            return [_one(mesh, socket) for _ in range(messages + 5)][5:]


def _one(mesh: Mesh, socket: ClientConnection) -> float:
    heard: list[float] = []

    def hear() -> None:
        socket.recv(10)
        heard.append(time.monotonic())

    # Already waiting when it is told, as a browser is.
    ear = threading.Thread(target=hear)
    ear.start()
    with noting_commits() as committed, mesh.stating() as ctx:
        ctx.db.connection()
        ctx.notify("bench.told", {"n": 1}, to=mesh.setting.seller.id)
    ear.join(15)
    time.sleep(PAUSE_S)
    return (heard[0] - committed[0]) * 1000


def _p95(spent: list[float]) -> float:
    return statistics.quantiles(spent, n=20)[18]
