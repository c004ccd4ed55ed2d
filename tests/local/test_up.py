"""`somos up` as a person meets it: a second start, a taken port, a story, an end, a kill -9."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from somos.local.environment import OUTSIDE, Ports
from somos.local.processes import Identity, Record, wait_for
from somos.local.state import State

ROOT = Path(__file__).parents[2]
LINUX = sys.platform.startswith("linux")


class Started:
    """A stack of small parts, in a process of its own."""

    def __init__(self, folder: Path, *words: str, **settings: str) -> None:
        clean = {k: v for k, v in os.environ.items() if k not in (*OUTSIDE, "DATABASE_URL", "REDIS_URL")}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("small_stack.py")), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**clean, "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}", "SOMOS_FOLDER": str(folder), **settings},
        )
        self.lines: list[str] = []

    def until(self, words: str) -> str:
        """Read what it says up to a line with these words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if words in line:
                return line.rstrip()
        pytest.fail(f"never said {words!r}: {self.lines}")

    def rest(self) -> str:
        """What it says to its end."""
        return self.process.communicate(timeout=30)[0]


@contextmanager
def started(folder: Path, *words: str, **settings: str) -> Iterator[Started]:
    stack = Started(folder, *words, **settings)
    try:
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                stack.process.communicate(timeout=30)
            stack.process.kill()
        stack.process.communicate()


def parts_of(folder: Path) -> list[Identity]:
    records = [Record.read(path) for path in (folder / "run").glob("*.json")]
    return [record.process for record in records if record]


def test_it_shows_what_is_where_and_stays_until_asked_to_stop(tmp_path: Path) -> None:
    with started(tmp_path, "0") as stack:
        stack.until("Ctrl-C encerra")
        gateway = f"http://127.0.0.1:{Ports.of(tmp_path).gateway}"
        state = State.read(tmp_path)
        assert state is not None
        assert state.pid == stack.process.pid
        assert {name: part["state"] for name, part in state.parts.items()} == {"sandbox": "ready", "gateway": "ready"}
        assert f"  abra      {gateway}" in stack.lines
        assert any("diretor@somos.local" in line for line in stack.lines)
        parts = parts_of(tmp_path)

        stack.process.send_signal(signal.SIGINT)

        assert stack.process.wait(30) == 0
        assert len(parts) == 2
        assert not any(part.alive() for part in parts)
        assert State.read(tmp_path) is None


def test_a_second_start_in_the_same_folder_is_told_where_the_first_is(tmp_path: Path) -> None:
    with started(tmp_path, "0") as first:
        first.until("Ctrl-C encerra")
        with started(tmp_path, "0") as second:
            said = second.rest()

        assert second.process.returncode == 1
        assert f"o Somos já está no ar nesta pasta (pid {first.process.pid})" in said
        assert f"http://127.0.0.1:{Ports.of(tmp_path).gateway}" in said
        assert first.process.poll() is None


def test_a_taken_port_is_reported_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with started(tmp_path, str(port)) as stack:
            said = stack.rest()

    assert stack.process.returncode == 1
    assert f"a porta {port} (gateway) já está em uso" in said
    assert "--any-port" in said
    if LINUX:
        assert f"por pid {os.getpid()} (" in said
    assert not list((tmp_path / "run").glob("*")) if (tmp_path / "run").exists() else True


def test_missing_settings_are_all_named_before_anything_starts(tmp_path: Path) -> None:
    with started(tmp_path, "0", RESEND_URL="https://mail.example", EVOLUTION_URL="typo") as stack:
        said = stack.rest()

    assert stack.process.returncode == 1
    for name in ("RESEND_API_KEY", "RESEND_WEBHOOK_SECRET", "EVOLUTION_URL", "EVOLUTION_API_KEY"):
        assert name in said
    assert "gateway" not in said


@pytest.mark.parametrize("status", [0, 3])
def test_once_ends_after_the_story_with_its_status(tmp_path: Path, status: int) -> None:
    with started(tmp_path, "0", "--once", str(status)) as stack:
        stack.until("era uma vez")
        parts = parts_of(tmp_path)
        stack.rest()

    assert stack.process.returncode == status
    assert not any(part.alive() for part in parts)


@pytest.mark.skipif(not LINUX, reason="the kernel's parent death signal is Linux's")
def test_after_a_kill_9_everything_is_gone_and_the_next_start_works(tmp_path: Path) -> None:
    with started(tmp_path, "0") as first:
        first.until("Ctrl-C encerra")
        parts = parts_of(tmp_path)
        first.process.kill()
        first.process.wait()
        assert wait_for(lambda: not any(part.alive() for part in parts), 10)

        with started(tmp_path, "0") as second:
            second.until("Ctrl-C encerra")
            assert State.read(tmp_path) is not None


def test_a_killed_part_comes_back_while_the_rest_goes_on(tmp_path: Path) -> None:
    with started(tmp_path, "0") as stack:
        stack.until("Ctrl-C encerra")
        record = Record.read(tmp_path / "run" / "gateway.json")
        assert record is not None

        os.kill(record.pid, signal.SIGKILL)

        assert "gateway caiu (sinal SIGKILL) e volta em" in stack.until("gateway caiu")
        stack.until("gateway está de volta")
        again = Record.read(tmp_path / "run" / "gateway.json")
        assert again is not None
        assert again.pid != record.pid
