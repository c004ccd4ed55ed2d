"""The whole local stack in a folder of its own, as `somos up` starts it, and what is known of it from outside."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import redis
import requests
from sqlalchemy import Engine, insert, text
from websockets.sync.client import connect

from somos.local import postgres, valkey
from somos.local.environment import OUTSIDE, Ports
from somos.local.processes import Identity, Record, last_lines, living_in, wait_for
from somos.local.state import State
from somos.mesh import outbox
from somos.mesh.database import engine_for
from somos.mesh.ids import uuid7
from somos.mesh.records import Outbox
from somos.settings import ROOT
from tests.chaos.monkey import Blow, Monkey, living

START_S, STORY_S, REST_S, END_S = 120, 180, 60, 60
FROZEN_S = 3.0
SOMOS = [sys.executable, "-m", "somos.cli"]
# A world without pauses, and providers that repeat their webhooks soon.
QUICK = {
    "SANDBOX_DELAY_MS": "5",
    "SANDBOX_SEED": "1",
    "SANDBOX_TIME_SCALE": "0.02",
    "SANDBOX_SLOW_SITE_MS": "50",
    "SOMOS_BACKOFF_SCALE": "0.05",
    "SOMOS_BCRYPT_COST": "4",
}
_NOT_OURS = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", *OUTSIDE}


@dataclass
class Stack:
    """One folder. It may be started several times, also after its supervisor was killed."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._up: subprocess.Popen[bytes] | None = None
        self._engines: dict[str, Engine] = {}

    # -- starting and ending

    @contextmanager
    def started(self, *words: str) -> Iterator["Stack"]:
        """Keep it up while the block runs; what it said is shown when the test fails."""
        try:
            self.start(*words)
            yield self
        finally:
            self.stop()

    def start(self, *words: str) -> None:
        with (self.folder / "up.txt").open("ab") as said:
            self._up = subprocess.Popen(
                [*SOMOS, "up", "--any-port", *words],
                stdout=said, stderr=said, stdin=subprocess.DEVNULL, env=self._environment,
            )  # fmt: skip
        assert wait_for(self.ready, START_S, every=0.05), self.said()

    def ready(self) -> bool:
        """Every part is there."""
        assert self._up is not None
        assert self._up.poll() is None, self.said()
        state = State.read(self.folder)
        return (
            state is not None
            and state.pid == self._up.pid
            and all(part["state"] in ("ready", "done") for part in state.parts.values())
        )

    def kill(self) -> None:
        """The supervisor, without a word; its parts end by themselves."""
        assert self._up is not None
        parts = self.processes()
        self._up.kill()
        self._up.wait()
        self._forget_connections()
        left = [name for name, part in parts.items() if not wait_for(lambda one=part: not one.alive(), END_S)]
        assert not left, f"{left} outlived their supervisor\n{self.said()}"

    def ended(self, seconds: float) -> int:
        """How it ended by itself."""
        assert self._up is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._up.wait(seconds)
        raise AssertionError(f"not over after {seconds} s\n{self.said()}")

    def stop(self) -> None:
        self._forget_connections()
        if self._up is not None and self._up.poll() is None:
            self._up.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._up.wait(END_S)
            self._up.kill()
            self._up.wait()
        print(self.said())

    def said(self) -> str:
        """What the supervisor and its parts said last."""
        logs = [self.folder / "up.txt", self.folder / "story.txt", *sorted(self.folder.glob("logs/*.log"))]
        return "\n".join(f"--- {log.name}\n" + "\n".join(last_lines(log, 12)) for log in logs if log.exists())

    @contextmanager
    def story(self) -> Iterator[subprocess.Popen[bytes]]:
        """The story, told by a process of its own while the block runs."""
        with (self.folder / "story.txt").open("ab") as said:
            telling = subprocess.Popen(
                [*SOMOS, "demo"], stdout=said, stderr=said, stdin=subprocess.DEVNULL, env=self._environment
            )
        try:
            yield telling
        finally:
            telling.kill()
            telling.wait()

    @property
    def _environment(self) -> Mapping[str, str]:
        clean = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
        ours = {"SOMOS_FOLDER": str(self.folder), "PYTHONUNBUFFERED": "1"}
        return {**clean, **QUICK, **ours, "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"}

    # -- its parts

    def processes(self, *but: str) -> dict[str, Identity]:
        """Who the parts are, apart from these."""
        found = {path.stem: Record.read(path) for path in sorted((self.folder / "run").glob("*.json"))}
        return {name: record.process for name, record in found.items() if record and name not in but}

    def kill_part(self, blow: Blow, monkey: Monkey) -> None:
        """SIGKILL, as soon as the part lives: it may have been killed a moment ago."""
        monkey.until(lambda: living(self.folder, blow.target) is not None)
        if victim := living(self.folder, blow.target):
            victim.send(signal.SIGKILL)

    def forget_redis(self, _blow: Blow, _monkey: Monkey) -> None:
        """Everything in Redis, at once."""
        with self.redis as client:
            client.flushall()

    def stop_postgres(self, blow: Blow, monkey: Monkey) -> None:
        """Killed, or frozen whole for a while, as `blow.target` says."""
        if blow.target == "killed":
            self.kill_part(Blow(blow.at, 0, "postgres"), monkey)
            return
        frozen = list(living_in(self.folder / "postgres" / "data"))
        for process in frozen:
            process.send(signal.SIGSTOP)
        monkey.hold(FROZEN_S)
        for process in frozen:
            process.send(signal.SIGCONT)

    @property
    def ports(self) -> Ports:
        return Ports.of(self.folder)

    @property
    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(valkey.address(self.ports.redis, self.folder / "secrets"))

    # -- what it holds, and what the outside saw

    @property
    def _engine(self) -> Engine:
        """As the owner, past row security."""
        _, owner = postgres.addresses(self.ports.postgres, self.folder / "secrets")
        if owner not in self._engines:
            self._engines[owner] = engine_for(owner, pool_size=2)
        return self._engines[owner]

    def _forget_connections(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()

    def rows(self, sql: str) -> list[Any]:
        with self._engine.begin() as connection:
            connection.execute(text("select set_config('somos.role', 'system', true)"))
            return list(connection.execute(text(sql)).mappings())

    def one(self, sql: str) -> Any:
        (row,) = self.rows(sql)
        return next(iter(row.values()))

    def column(self, sql: str) -> list[Any]:
        return [next(iter(row.values())) for row in self.rows(sql)]

    def done(self) -> int:
        """How far it is: deliveries done. What cannot be asked now is as far as it was."""
        with contextlib.suppress(Exception):
            self._done = int(self.one("select count(*) from mesh.deliveries where state = 'done'"))
        return self._done

    _done = 0

    @cached_property
    def _http(self) -> requests.Session:
        return requests.Session()

    def outside(self, what: str) -> Any:
        """A question to the simulated world's own door."""
        answer = self._http.get(f"http://127.0.0.1:{self.ports.sandbox}/_world/{what}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def let_the_timers_fire(self) -> None:
        """State a tick of every timer, as the relay does when its minute comes; then come to rest."""
        timers = json.loads((self.folder / "routes.json").read_text())["ticks"]
        minute = datetime.now(UTC).isoformat()
        cause = outbox.Cause(uuid7(), None, None, "relay")
        rows = [outbox.row(f"timer.{timer['function']}", {"minute": minute}, cause) for timer in timers]
        with self._engine.begin() as connection:
            connection.execute(insert(Outbox), rows)
        self.come_to_rest()

    def tells_at_once(self) -> bool:
        """Whether somebody who is connected hears of work that begins now."""
        gateway = f"127.0.0.1:{self.ports.gateway}"
        token = (self.folder / "run" / "token-diretor@somos.local").read_text()
        asked = {"Authorization": f"Bearer {token}"}
        with connect(f"ws://{gateway}/ws") as socket:
            socket.send(json.dumps({"token": token}))
            profiles = requests.get(f"http://{gateway}/api/v1/icp-profiles", headers=asked, timeout=30).json()
            search = {"icp_id": profiles["items"][0]["id"], "limit": 1}
            answer = requests.post(f"http://{gateway}/api/v1/hunter/search", json=search, headers=asked, timeout=30)
            task = answer.json()["task_id"]
            with contextlib.suppress(TimeoutError):
                while (heard := json.loads(socket.recv(timeout=30))).get("data", {}).get("task_id") != task:
                    pass
                return str(heard["type"]).startswith("task.")
        return False

    def come_to_rest(self) -> None:
        """Until neither the mesh nor the world has anything left to do now."""
        left = """
            select (select count(*) from mesh.outbox where fanned_at is null)
                 + (select count(*) from mesh.deliveries where state = 'due' and due_at < now() + interval '1 minute'
                   )
        """

        def quiet() -> bool:
            world = requests.post(f"http://127.0.0.1:{self.ports.sandbox}/_world/wait", json={"timeout": 1}, timeout=30)
            return bool(world.json()["idle"]) and self.one(left) == 0

        assert wait_for(quiet, REST_S, every=0.1), self.rows(
            "select function, state, attempts, due_at, last_error from mesh.deliveries where state <> 'done'"
        )
