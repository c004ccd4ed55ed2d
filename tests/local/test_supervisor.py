"""The supervisor with small real parts: order, restarts, giving up, ending, and what a kill -9 leaves."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from somos.local.processes import Identity, Record, last_lines, wait_for
from somos.local.supervisor import Broken, Part, Status, Supervisor, stop_leftovers

# A part that says "up" in its log, then waits for its end.
LIVES = "import sys, time; print('up', flush=True); time.sleep(600)"
AT_ONCE = [0.01]
DIES = "import sys; print('what went wrong', flush=True); sys.exit(3)"


class Heard:
    """What the supervisor said and how its parts changed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.changes: list[tuple[str, str]] = []

    def changed(self, _supervisor: Supervisor, status: Status) -> None:
        self.changes.append((status.part.name, status.state))

    def order(self, state: str) -> list[str]:
        return [name for name, reached in self.changes if reached == state]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def part(folder: Path, name: str, code: str = LIVES, **options: object) -> Part:
    ready = options.pop("ready", lambda _pid: "up" in last_lines(folder / "logs" / f"{name}.log"))
    return Part(name, lambda: [sys.executable, "-c", code], ready=ready, **options)  # type: ignore[arg-type]


def run(folder: Path, parts: list[Part], heard: Heard, settled: Callable[[Supervisor], int | None]) -> int:
    supervisor = Supervisor(parts, folder, heard.lines.append, heard.changed)
    with supervisor:
        return supervisor.run(lambda: settled(supervisor))


def test_parts_start_after_those_they_need_and_end_before_them(tmp_path: Path, heard: Heard) -> None:
    parts = [
        part(tmp_path, "worker", after=("gateway",)),
        part(tmp_path, "gateway", after=("migrate", "base")),
        part(tmp_path, "migrate", "pass", after=("base",), once=True),
        part(tmp_path, "base"),
    ]

    assert run(tmp_path, parts, heard, lambda _: 7) == 7

    assert [change for change in heard.changes if change[1] in ("ready", "done")] == [
        ("base", "ready"),
        ("migrate", "done"),
        ("gateway", "ready"),
        ("worker", "ready"),
    ]
    assert heard.order("stopping") == ["worker", "gateway", "base"]
    assert not list((tmp_path / "run").iterdir())


def test_a_dead_part_is_started_again_and_said_in_one_line(tmp_path: Path, heard: Heard) -> None:
    killed: list[int] = []

    def settled(supervisor: Supervisor) -> int | None:
        child = supervisor.parts["worker"].child
        assert child is not None
        if not killed:
            killed.append(child.pid)
            child.kill()
            return None
        return 0 if child.pid != killed[0] else None

    run(tmp_path, [part(tmp_path, "worker")], heard, settled)

    assert len(heard.lines) == 1
    assert heard.lines[0].startswith("worker caiu (sinal SIGKILL) e volta em 0.2 s; veja ")


def test_a_part_that_keeps_dying_ends_everything_with_its_last_words(tmp_path: Path, heard: Heard) -> None:
    parts = [part(tmp_path, "base"), part(tmp_path, "worker", DIES, after=("base",), ready=lambda _: False)]
    supervisor = Supervisor(parts, tmp_path, heard.lines.append, heard.changed, AT_ONCE)

    with pytest.raises(Broken, match=r"worker caiu 5 vezes seguidas \(saiu com 3\)(.|\n)*what went wrong"), supervisor:
        supervisor.run()

    assert heard.order("starting").count("worker") == 5
    assert heard.order("stopping") == ["base"]


def test_an_engine_that_ran_is_tried_for_as_long_as_it_takes(tmp_path: Path, heard: Heard) -> None:
    full, up = tmp_path / "full", tmp_path / "up"
    engine = (
        f"import os, pathlib, sys; pathlib.Path({str(full)!r}).exists() and sys.exit(1); "
        f"pathlib.Path({str(up)!r}).write_text(str(os.getpid())); {LIVES}"
    )
    deaths: list[str] = []

    def say(line: str) -> None:
        deaths.append(line)
        if len(deaths) == 20:
            full.unlink()

    def settled(supervisor: Supervisor) -> int | None:
        child = supervisor.parts["base"].child
        assert child is not None
        if not deaths:
            full.touch()
            child.kill()
            child.wait()
            return None
        return 7

    base = part(tmp_path, "base", engine, lasting=True, ready=lambda pid: up.exists() and up.read_text() == str(pid))
    supervisor = Supervisor([base, part(tmp_path, "worker", after=("base",))], tmp_path, say, heard.changed, AT_ONCE)
    with supervisor:
        assert supervisor.run(lambda: settled(supervisor)) == 7

    assert len(deaths) >= 20
    assert heard.order("stopping") == ["worker", "base"]


def test_an_engine_that_never_ran_ends_everything(tmp_path: Path, heard: Heard) -> None:
    never = part(tmp_path, "base", DIES, lasting=True, ready=lambda _: False)
    supervisor = Supervisor([never], tmp_path, heard.lines.append, heard.changed, AT_ONCE)

    with pytest.raises(Broken, match="base caiu 5 vezes seguidas"), supervisor:
        supervisor.run()


def test_a_part_that_dies_while_its_engine_is_away_is_not_given_up(tmp_path: Path, heard: Heard) -> None:
    """Whoever needs the engine may die as often as it likes until the engine is back."""
    base, worker = part(tmp_path, "base", lasting=True), part(tmp_path, "worker", after=("base",))
    supervisor = Supervisor([base, worker], tmp_path, heard.lines.append, heard.changed, AT_ONCE)
    away = [False]

    def settled() -> int | None:
        if away[0]:
            return 7
        away[0] = True
        supervisor.parts["worker"].deaths = 4
        for status in supervisor.parts.values():
            assert status.child is not None
            status.child.kill()
            status.child.wait()
        return None

    with supervisor:
        assert supervisor.run(settled) == 7


def test_a_full_disk_does_not_end_the_supervisor(tmp_path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "worker.log"
    log.write_bytes(b"old line\n" * 600_000)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    monkeypatch.setattr(Path, "write_bytes", full)

    run(tmp_path, [part(tmp_path, "worker", ready=lambda _: log.stat().st_size < 100_000)], heard, lambda _: 0)

    assert heard.lines == ["não anotei o processo de worker: No space left on device"]


def test_a_single_run_that_fails_ends_everything_at_once(tmp_path: Path, heard: Heard) -> None:
    parts = [part(tmp_path, "base"), part(tmp_path, "migrate", DIES, after=("base",), once=True)]
    supervisor = Supervisor(parts, tmp_path, heard.lines.append, heard.changed)

    with pytest.raises(Broken, match=r"migrate caiu \(saiu com 3\)(.|\n)*what went wrong"), supervisor:
        supervisor.run()

    assert heard.order("starting").count("migrate") == 1


def test_a_part_whose_preparation_fails_says_why(tmp_path: Path) -> None:
    def refuse() -> list[str]:
        raise RuntimeError("a pasta de dados é de outra versão")

    supervisor = Supervisor([Part("base", refuse)], tmp_path, lambda _: None, backoff=AT_ONCE)

    with pytest.raises(Broken, match="a pasta de dados é de outra versão"), supervisor:
        supervisor.run()


def test_a_part_that_never_gets_ready_is_not_waited_for_for_ever(tmp_path: Path, heard: Heard) -> None:
    slow = part(tmp_path, "slow", ready=lambda _: False, start_seconds=0.1)
    supervisor = Supervisor([slow], tmp_path, heard.lines.append, heard.changed, AT_ONCE)

    with pytest.raises(Broken, match="slow caiu 5 vezes seguidas"), supervisor:
        supervisor.run()


def test_a_part_that_ignores_the_request_to_end_is_killed(tmp_path: Path, heard: Heard) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + LIVES
    ended: list[Identity] = []

    def settled(supervisor: Supervisor) -> int:
        ended.extend(status.process for status in supervisor.parts.values() if status.process)
        return 0

    run(tmp_path, [part(tmp_path, "deaf", deaf, grace_seconds=0.2)], heard, settled)

    assert not ended[0].alive()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_ends_its_parts_and_returns(tmp_path: Path, heard: Heard, number: signal.Signals) -> None:
    ended: list[Identity] = []

    def settled(supervisor: Supervisor) -> None:
        if not ended:
            ended.extend(status.process for status in supervisor.parts.values() if status.process)
            threading.Thread(target=os.kill, args=(os.getpid(), number)).start()

    assert run(tmp_path, [part(tmp_path, "worker")], heard, settled) == 0

    assert heard.order("stopping") == ["worker"]
    assert not ended[0].alive()


def test_a_terminals_interrupt_reaches_the_supervisor_only(tmp_path: Path, heard: Heard) -> None:
    def settled(supervisor: Supervisor) -> int:
        child = supervisor.parts["worker"].child
        assert child is not None
        assert os.getpgid(child.pid) != os.getpgid(0)
        return 0

    run(tmp_path, [part(tmp_path, "worker")], heard, settled)


def test_a_long_log_is_cut_while_its_writer_goes_on(tmp_path: Path, heard: Heard) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "worker.log"
    log.write_bytes(b"old line\n" * 600_000)

    run(tmp_path, [part(tmp_path, "worker", ready=lambda _: log.stat().st_size < 100_000)], heard, lambda _: 0)

    assert log.with_suffix(".log.1").stat().st_size >= 5_000_000


SUPERVISOR = f"""
import sys
from pathlib import Path
from somos.local.supervisor import Part, Supervisor
part = Part("worker", lambda: [sys.executable, "-c", {LIVES!r}])
with Supervisor([part], Path(sys.argv[1]), print) as supervisor:
    supervisor.run(lambda: print("ready", flush=True))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's parent death signal is Linux's")
def test_parts_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    shared = Path(__file__).parents[2] / "shared"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(shared)},
    )
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == b"ready\n"
    record = Record.read(tmp_path / "run" / "worker.json")
    assert record is not None
    assert record.process.alive()

    supervisor.kill()
    supervisor.communicate()

    assert wait_for(lambda: not record.process.alive(), 10)


def test_leftovers_of_a_killed_supervisor_are_ended_and_strangers_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    children = [
        subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
        for _ in range(2)
    ]
    left, stranger = (Identity.of(child.pid) for child in children)
    assert left
    assert stranger
    record = Record(left.pid, left.started, signal.SIGTERM)
    record.write(tmp_path / "run" / "worker.json")
    # The pid of a part that ended, given to another process since.
    Record(stranger.pid, "earlier", signal.SIGTERM).write(tmp_path / "run" / "relay.json")

    reaper = threading.Thread(target=children[0].wait)
    reaper.start()
    try:
        assert stop_leftovers(tmp_path) == ["worker"]
        assert not left.alive()
        assert stranger.alive()
        assert not list((tmp_path / "run").iterdir())
    finally:
        reaper.join()
        for child in children:
            child.kill()
            child.communicate()


def test_a_record_torn_by_a_crash_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "worker.json").write_text(json.dumps({"pid": 1})[:5])

    assert stop_leftovers(tmp_path) == []
