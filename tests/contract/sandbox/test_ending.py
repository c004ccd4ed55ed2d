"""The world as a process of its own ends when it is asked to, whichever of its threads the kernel tells."""

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from signal import Signals

import pytest

LIBC = ctypes.CDLL(None)


@pytest.fixture
def process() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "infra.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline().startswith("sandbox: http://")
        yield started
        started.kill()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are told apart by Linux's /proc")
@pytest.mark.parametrize("asked", [Signals.SIGTERM, Signals.SIGINT])
@pytest.mark.parametrize("thread", [0, -1], ids=["its first thread", "its last thread"])
def test_the_world_ends_when_asked(process: "subprocess.Popen[str]", asked: Signals, thread: int) -> None:
    threads = sorted(int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir())
    assert len(threads) > 1
    assert LIBC.tgkill(process.pid, threads[thread], asked) == 0
    assert process.wait(20) == 0
