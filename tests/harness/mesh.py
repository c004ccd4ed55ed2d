"""The whole mesh in one process: requests through its one door, deliveries as signed CloudEvents in JSON."""

import json as jsonlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from somos.mesh import clock, cloud_events, outbox
from somos.mesh.context import Context
from somos.mesh.database import Acting, transaction
from somos.mesh.declare import Function
from somos.mesh.dispatch import Application
from somos.mesh.events import Event
from somos.mesh.ids import uuid7
from somos.mesh.outbox import Claim
from somos.mesh.queues import QUEUES
from somos.mesh.relay import Relay
from somos.mesh.runtime import Runtime
from somos.policy.principals import SYSTEM, Kind, Principal
from somos.policy.roles import Role
from somos.policy.tokens import TokenSigner
from tests.harness import days


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Any
    raw: bytes

    @property
    def json(self) -> Any:
        return jsonlib.loads(self.raw) if self.raw else None

    @property
    def text(self) -> str:
        return self.raw.decode()

    def ok(self) -> Any:
        """The JSON of a success; shows the problem otherwise."""
        assert self.status < 300, f"{self.status}: {self.text}"
        return self.json

    def refused(self, status: int, code: str | None = None) -> Any:
        """The problem of a refusal of this status (and code)."""
        assert self.status == status, f"{self.status}: {self.text}"
        assert code is None or self.json["type"] == f"/problems/{code}", self.text
        return self.json


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    principal: Principal
    token: str

    @property
    def id(self) -> UUID:
        return self.principal.id


@dataclass
class Mesh:
    """Functions, their database, and a clock that the test moves."""

    runtime: Runtime
    functions: dict[str, Function]
    signer: TokenSigner
    twice: bool = False
    time: datetime = field(default_factory=days.chosen)
    app: Callable[..., Response] = field(init=False)

    def __post_init__(self) -> None:
        self.app = Application(self.functions, self.runtime)

    # -- people

    def person(self, role: str = "Diretor", name: str | None = None, client_company_id: UUID | None = None) -> Person:
        """A user with an account, signed in."""
        from somos.modules.auth.tables import User

        id = uuid7()
        name = name or f"{role} de teste"
        with self.db() as db:
            db.add(
                User(
                    id=id,
                    email=f"{id}@somos.test",
                    name=name,
                    role=role,
                    password_hash="!",
                    client_company_id=client_company_id,
                )
            )
        return self.signed_in(Principal(id, Role(role), Kind.user, name, "s-" + str(id), client_company_id))

    def signed_in(self, principal: Principal) -> Person:
        return Person(principal, self.signer.access(principal, clock.now()))

    # -- requests

    def call(
        self,
        what: str,
        json: Any = None,
        *,
        as_: Person | str | None = None,
        headers: dict[str, str] | None = None,
        data: Any = None,
        content_type: str | None = None,
    ) -> Answer:
        """`mesh.call("POST /api/v1/deals", {...}, as_=diretor)`; `as_` may be an API key."""
        method, _, target = what.partition(" ")
        path, _, query = target.partition("?")
        sent = dict(headers or {})
        if as_ is not None:
            sent["Authorization"] = f"Bearer {as_ if isinstance(as_, str) else as_.token}"
        builder = EnvironBuilder(
            path,
            method=method,
            query_string=query,
            headers=sent,
            data=jsonlib.dumps(json, default=str) if json is not None else data,
            content_type="application/json" if json is not None else content_type,
        )
        return self._answer(Request(builder.get_environ()))

    def _answer(self, request: Request, function: str | None = None) -> Answer:
        response: Response = self.app(request, function)
        return Answer(response.status_code, response.headers, response.get_data())

    # -- the database

    @contextmanager
    def db(self, as_: Person | None = None) -> Iterator[Session]:
        """A transaction, the system's unless it is somebody's."""
        with transaction(self.runtime.engine, Acting(as_.principal if as_ else SYSTEM, "test")) as db:
            yield db

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        with self.db() as db:
            return list(db.execute(text(sql), parameters).mappings())

    def one(self, sql: str, **parameters: Any) -> Any:
        """The single value of a query."""
        with self.db() as db:
            return db.execute(text(sql), parameters).scalar_one()

    # -- events

    def state(self, *events: Event, actor: Person | None = None) -> None:
        """State facts as the system would, without delivering them yet."""
        with self.db() as db:
            cause = outbox.Cause(uuid7(), None, actor.id if actor else None, "test")
            outbox.put(db, [(event, None) for event in events], cause)

    def drain(self, *, tolerate: bool = False, most: int = 10_000, only: Callable[[Claim], bool] | None = None) -> int:
        """Deliver all that is due, and what follows from it; how many. A failure fails the test unless tolerated."""
        delivered = 0
        engine, routes = self.runtime.engine, self.runtime.routes
        while delivered < most:
            outbox.fan_out(engine, routes)
            due = set(outbox.due_queues(engine))
            claims = [claim for queue in QUEUES if queue in due for claim in outbox.claim(engine, queue, 50)]
            if not claims:
                break
            for claim in claims:
                if only is not None and not only(claim):
                    continue
                delivered += 1
                answer = self.deliver(claim)
                if answer.status >= 300:
                    outbox.fail(engine, claim, answer.text)
                    assert tolerate, f"{claim.function} failed on {claim.type}: {answer.text}"
                elif self.twice:
                    again = self.deliver(claim)
                    assert again.status < 300, f"{claim.function} failed when delivered twice: {again.text}"
        return delivered

    def deliver(self, claim: Claim) -> Answer:
        """Post one delivery to its function, as a worker does."""
        return self.post(claim.function, *cloud_events.single(self.runtime.settings.mesh_secret, claim))

    def deliver_batch(self, claims: list[Claim], secret: str | None = None) -> Answer:
        """Post several deliveries of one function in one call."""
        signed = cloud_events.batch(secret or self.runtime.settings.mesh_secret, claims)
        return self.post(claims[0].function, *signed)

    def post(self, function: str, headers: dict[str, str], raw: bytes) -> Answer:
        """What a worker posts to a function."""
        builder = EnvironBuilder(f"/function/{function}", method="POST", headers=headers, data=raw)
        return self._answer(Request(builder.get_environ()), function)

    def advance(self, **by: float) -> None:
        """Move the clock: `mesh.advance(hours=3)`."""
        self.time += timedelta(**by)

    def at(self, hour: time_of_day, day: date | None = None) -> None:
        """Set the clock to an hour in São Paulo, of its own day or another."""
        self.time = datetime.combine(day or clock.today(), hour, clock.SAO_PAULO).astimezone(UTC)

    def tick(self) -> list[str]:
        """Let the timers of this minute fire; their functions run at the next drain."""
        return Relay(self.runtime).tick(self.time.replace(second=0, microsecond=0))

    def context(self, principal: Principal = SYSTEM) -> Context:
        """A bare context, for testing the runtime itself."""
        return Context(self.runtime, principal, "test")
