"""What a person sees of the stack: its parts as they come, where to look, how to get in."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from somos.local import environment
from somos.local.people import PEOPLE, password
from somos.local.stack import code_fingerprint, mark_migrated
from somos.local.state import State
from somos.local.supervisor import Status, Supervisor


class Screen:
    """Tells on the terminal, and in a file for other commands, how the parts are doing."""

    def __init__(self, say: Callable[[str], None], folder: Path, people: bool) -> None:
        self._say = say
        self._people = people
        self._folder = folder
        self._code = code_fingerprint()  # as it is now: it may be edited while the stack runs
        self._announced: set[str] = set()
        self._ready = False

    def changed(self, supervisor: Supervisor, status: Status) -> None:
        State.of(supervisor).keep(self._folder)
        part = status.part
        if not status.settled:
            return
        if part.name == "migrate" and "postgres" in supervisor.parts:
            mark_migrated(self._folder, self._code)
        if part.name in self._announced:
            self._say(f"  {part.name} está de volta")
            return
        self._announced.add(part.name)
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

    def greet(self, settings: Mapping[str, str]) -> None:
        """Where to look and how to get in."""
        self._say("")
        self._say(f"  abra      {settings['GATEWAY_URL']}")
        if self._people:
            self._say(f"  entre     {', '.join(person.email for person in PEOPLE)}")
            self._say(f"  senha     {password()}  (a mesma para todos, só desta pasta)")
        self._say("  peça      somos call 'GET /api/v1/leads' --as diretor     (.venv/bin/somos)")
        self._say(f"  registros {self._folder / 'logs'}")
        self._say("\nCtrl-C encerra")

    def say(self, text: str) -> None:
        self._say(text)

    def forget(self) -> None:
        (self._folder / "state.json").unlink(missing_ok=True)
