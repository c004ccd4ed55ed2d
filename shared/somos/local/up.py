"""`somos up`: checks everything first, starts the stack, shows it, and plays the story when asked to."""

import contextlib
import fcntl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from somos.local import checks, environment
from somos.local.environment import FOLDER, Ports
from somos.local.screen import Screen
from somos.local.stack import parts
from somos.local.state import State
from somos.local.story_process import StoryProcess
from somos.local.supervisor import Broken, Part, Supervisor, stop_leftovers

TALE = [sys.executable, "-m", "somos.cli", "demo"]
PartsOf = Callable[[Path, Ports, set[str], Mapping[str, str], bool], list[Part]]


class Refused(Exception):
    """Why the stack does not start; one line per reason."""


@dataclass
class Wishes:
    """What the person asked for on the command line."""

    port: int | None = None
    any_port: bool = False
    story: bool = False
    once: bool = False
    grain: str = "all"


def up(wishes: Wishes, say: Callable[[str], None], parts: PartsOf = parts, tale: list[str] = TALE) -> int:
    """Run until asked to stop; the exit status."""
    folder = FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # nobody looks in; PostgreSQL, another user where we are root, passes through
    begun = time.monotonic()
    with only_one(folder):
        given = environment.given()
        embedded = environment.embedded(given)
        for name in stop_leftovers(folder):
            say(f"  {name} tinha ficado de uma execução interrompida e foi encerrado")
        ports = _ports(wishes, embedded, folder)
        settings = environment.for_parts(environment.complete(given, folder, ports), folder)
        settings["SOMOS_GRAIN"] = wishes.grain
        wrong = checks.problems(given, settings)
        if wrong:
            raise Refused("\n".join(wrong))
        ports.keep(folder)
        for line in environment.unused_keys(given):
            say(f"  {line}")
        people = wishes.story or "postgres" in embedded
        screen = Screen(say, folder, people)
        supervisor = Supervisor(parts(folder, ports, embedded, settings, people), folder, say, screen.changed)
        story = StoryProcess(tale if wishes.story else None, wishes.once, settings)

        def settled() -> int | None:
            screen.everything_ready(time.monotonic() - begun, embedded, settings)
            return story.turn(screen)

        try:
            with supervisor, story:
                return supervisor.run(settled)
        except Broken as broken:
            say(f"erro: {broken}")
            return 1
        finally:
            screen.forget()


def _ports(wishes: Wishes, embedded: set[str], folder: Path) -> Ports:
    ports = Ports.free(folder) if wishes.any_port or wishes.port == 0 else Ports()
    if wishes.port:
        ports = replace(ports, gateway=wishes.port)
    taken = ports.taken(embedded)
    if taken:
        raise Refused("\n".join([*taken, "libere a porta, ou deixe escolher outras: --any-port"]))
    return ports


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder; a second supervisor is told who has it."""
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = State.read(folder)
            where = f" (pid {running.pid})" if running else ""
            raise Refused(
                f"o Somos já está no ar nesta pasta{where}: http://127.0.0.1:{Ports.of(folder).gateway}\n"
                "para ver: somos status; para encerrar: somos down"
            ) from None
        yield
