"""The development gateway answers deliveries in a child process; neither of the two outlives the other."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import psutil
import pytest
import requests

from gateway.local.logs import Logs, Sent, SentLogs
from somos.local.addresses import free_port
from somos.settings import ROOT, Settings
from tests.gateway.test_waiting import until
from tests.harness.units import variables


@pytest.fixture
def process(settings: Settings, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A gateway as `somos up` starts one, and its port."""
    port = free_port()
    environment = {
        **os.environ,
        **variables(settings),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
        "SOMOS_FOLDER": str(tmp_path),
        "SOMOS_OPENFAAS_PASSWORD": "senha",
    }
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "gateway.local", "--port", str(port)]
        started = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=log)
    try:
        until(lambda: _status(port, "GET", "/healthz") == 200)
        yield started, port
    finally:
        if started.poll() is None:
            started.kill()
        started.wait()


def _status(port: int, method: str, path: str, **headers: str) -> int:
    try:
        return requests.request(method, f"http://127.0.0.1:{port}{path}", headers=headers, timeout=10).status_code
    except requests.ConnectionError:
        return 0


def _child(gateway: subprocess.Popen[bytes]) -> psutil.Process:
    [child] = psutil.Process(gateway.pid).children()
    return child


def _has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_delivery_that_nobody_signed_is_turned_away_by_the_child(
    process: tuple[subprocess.Popen[bytes], int],
) -> None:
    gateway, port = process
    before = _child(gateway).cpu_times()
    headers = {"Ce-Type": "sdr.message_sent", "Ce-Id": "1"}
    assert [_status(port, "POST", "/function/sdr-on-message-facts", **headers) for _ in range(30)] == [401] * 30
    after = _child(gateway).cpu_times()
    assert after.user + after.system > before.user + before.system


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_child_ends_with_its_gateway(process: tuple[subprocess.Popen[bytes], int], number: signal.Signals) -> None:
    gateway, _ = process
    child = _child(gateway)
    gateway.send_signal(number)
    gateway.wait(30)
    until(lambda: _has_ended(child))


def test_the_gateway_ends_with_its_child_so_that_both_are_started_again(
    process: tuple[subprocess.Popen[bytes], int],
) -> None:
    gateway, _ = process
    _child(gateway).kill()
    assert gateway.wait(30) is not None


def test_what_a_function_logs_in_the_child_is_kept_by_the_gateway() -> None:
    sent: Sent = SimpleQueue(ctx=get_context())
    SentLogs(sent).note("crm-deals", "INFO deal_opened")
    kept = Logs()
    kept.note(*sent.get())
    assert [line["text"] for line in kept.last("crm-deals")] == ["INFO deal_opened"]
