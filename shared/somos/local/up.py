"""`somos up`: checks everything first, starts the stack, shows it, and with a story tells it."""

import contextlib
import fcntl
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from somos.local import checks, environment
from somos.local.environment import FOLDER, Ports
from somos.local.processes import Identity, dying_with_us
from somos.local.stack import code_fingerprint, mark_migrated, parts
from somos.local.supervisor import Broken, Part, Status, Supervisor, stop_leftovers
from somos.settings import ROOT

TALE = [sys.executable, "-m", "somos.cli", "demo"]
PartsOf = Callable[[Path, Ports, set[str], Mapping[str, str], bool], list[Part]]


class Refused(Exception):
    """Why the stack does not start; one line per reason."""


@dataclass
class Wishes:
    """What the person asked for on the command line."""

    folder: Path = FOLDER
    port: int | None = None
    any_port: bool = False
    story: bool = False
    once: bool = False


def up(wishes: Wishes, say: Callable[[str], None], parts: PartsOf = parts, tale: list[str] = TALE) -> int:
    """Run until asked to stop; the exit status."""
    folder = wishes.folder
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # nobody looks in; PostgreSQL, another user where we are root, passes through
    begun = time.monotonic()
    with only_one(folder):
        told = environment.given()
        embedded = environment.embedded(told)
        for name in stop_leftovers(folder):
            say(f"  {name} tinha ficado de uma execução interrompida e foi encerrado")
        ports = _ports(wishes, embedded)
        settings = environment.complete(told, folder, ports)
        wrong = checks.problems(told, settings)
        if wrong:
            raise Refused("\n".join(wrong))
        ports.keep(folder)
        for line in environment.unused_keys(told):
            say(f"  {line}")
        screen = Screen(say, folder)
        people = wishes.story or "postgres" in embedded
        supervisor = Supervisor(parts(folder, ports, embedded, settings, people), folder, say, screen.changed)
        teller = Teller(wishes, settings, tale)
        try:
            code = supervisor.run(lambda: _settled(screen, teller, begun, embedded, settings))
        except Broken as broken:
            say(f"erro: {broken}")
            code = 1
        finally:
            teller.stop()
            screen.forget()
        return code


def _settled(
    screen: "Screen",
    teller: "Teller",
    begun: float,
    embedded: set[str],
    settings: Mapping[str, str],
) -> int | None:
    screen.everything_ready(time.monotonic() - begun, embedded, settings)
    return teller.turn(screen)


def _ports(wishes: Wishes, embedded: set[str]) -> Ports:
    if wishes.any_port or wishes.port == 0:
        ports = Ports.free()
        return ports.moved(wishes.port) if wishes.port else ports
    ports = Ports() if wishes.port is None else Ports().moved(wishes.port)
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


@dataclass
class State:
    """What `somos status` and `somos down` read of a running supervisor."""

    pid: int
    started: str
    parts: dict[str, dict[str, object]]

    @classmethod
    def read(cls, folder: Path) -> "State | None":
        """The living supervisor of this folder, if there is one."""
        try:
            state = cls(**json.loads((folder / "state.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return state if Identity(state.pid, state.started).alive() else None

    @property
    def process(self) -> Identity:
        return Identity(self.pid, self.started)


class Screen:
    """Tells on the terminal, and in a file for other commands, how the parts are doing."""

    def __init__(self, say: Callable[[str], None], folder: Path) -> None:
        self._say = say
        self._folder = folder
        self._code = code_fingerprint()  # as it is now: it may be edited while the stack runs
        self._file = folder / "state.json"
        self._told: set[str] = set()
        self._ready = False

    def changed(self, supervisor: Supervisor, status: Status) -> None:
        self._keep(supervisor)
        part = status.part
        if not status.settled:
            return
        if part.name == "migrate" and "postgres" in supervisor.parts:
            mark_migrated(self._folder, self._code)
        if part.name in self._told:
            self._say(f"  {part.name} está de volta")
            return
        self._told.add(part.name)
        seconds = f"{time.monotonic() - status.started:.1f} s".replace(".", ",")
        self._say(f"  {part.name:<10}{part.address or 'ok':<28}{seconds:>7}")

    def everything_ready(self, seconds: float, embedded: set[str], settings: Mapping[str, str]) -> None:
        if self._ready:
            return
        self._ready = True
        self._say(f"pronto em {f'{seconds:.1f}'.replace('.', ',')} s")
        for name, variable in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL")):
            if name not in embedded:
                self._say(f"  {name:<10}externo, de {variable}")
        for variable in environment.OUTSIDE:
            if not settings[variable].startswith(settings["SANDBOX_URL"]):
                self._say(f"  {variable} aponta para o serviço real: {settings[variable]}")

    def say(self, text: str) -> None:
        self._say(text)

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)

    def _keep(self, supervisor: Supervisor) -> None:
        own = Identity.own()
        shown = {
            name: {
                "state": status.state,
                "pid": status.process.pid if status.process and status.child else None,
                "address": status.part.address,
                "deaths": status.deaths,
            }
            for name, status in supervisor.parts.items()
        }
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps({"pid": own.pid, "started": own.started, "parts": shown}))
        part.replace(self._file)


class Teller:
    """Plays the story once all is ready, on this terminal, in a process of its own."""

    def __init__(self, wishes: Wishes, settings: Mapping[str, str], tale: list[str]) -> None:
        self._wishes = wishes
        self._tale = tale
        self._settings = settings
        self._child: subprocess.Popen[bytes] | None = None
        self._told = not wishes.story
        self._greeted = False

    def turn(self, screen: Screen) -> int | None:
        """Go on; an exit status when the stack should end."""
        if not self._told:
            if self._child is None:
                command = dying_with_us(self._tale, signal.SIGTERM)
                self._child = subprocess.Popen(  # noqa: S603
                    command, stdin=subprocess.DEVNULL, env=dict(self._settings), cwd=ROOT, start_new_session=True
                )
            code = self._child.poll()
            if code is None:
                return None
            self._told = True
            if self._wishes.once:
                return code if code >= 0 else 128 - code
            if code:
                screen.say(f"a história não terminou (status {code}); a pilha continua no ar")
        if not self._greeted:
            self._greeted = True
            screen.say(f"\nabra {self._settings['GATEWAY_URL']}   (Ctrl-C encerra)")
        return None

    def stop(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(5)
            if self._child.poll() is None:
                self._child.kill()
                self._child.wait()
