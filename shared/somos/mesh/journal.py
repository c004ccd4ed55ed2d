"""The journal of outside calls: intent is committed before the call, the outcome after it."""

import json
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from somos.mesh import clock
from somos.mesh.database import alone, atomically, is_away
from somos.mesh.effects import Later, Parked
from somos.mesh.leases import LEASE, Leases
from somos.mesh.outbox import changed

_BEGIN = text("""
insert into mesh.effects (delivery_id, name, operation, about, state, arguments, lease_until, started_at)
values (:delivery_id, :name, :operation, :about, 'started', cast(:arguments as jsonb), :lease_until, :now)
on conflict do nothing
""")
_READ = text(
    "select state, outcome, error, lease_until, attempts from mesh.effects "
    "where delivery_id = :delivery_id and name = :name for update"
)
_AGAIN = text(
    "update mesh.effects set state = 'started', attempts = :attempts, lease_until = :lease_until "
    "where delivery_id = :delivery_id and name = :name"
)
_DONE = text(
    "update mesh.effects set state = 'done', outcome = cast(:outcome as jsonb), error = null, finished_at = :now "
    "where delivery_id = :delivery_id and name = :name and state <> 'done'"
)
# Whoever let the lease end has no say any more, except to tell that it happened after all.
_MINE = "where delivery_id = :delivery_id and name = :name and state = 'started' and attempts = :attempts"
_SETTLE = text(
    f"update mesh.effects set state = :state, error = cast(:error as jsonb), finished_at = :now {_MINE}"  # noqa: S608
)
_FORGET = text(f"delete from mesh.effects {_MINE}")  # noqa: S608
# Whom and what a settled call was about is nobody's business any more.
_SETTLED = """
update mesh.effects set state = 'settled', arguments = '{}', outcome = null, error = null, finished_at = :now
where state = 'parked' and
"""
_SETTLE_ABOUT = text(f"{_SETTLED} about = any(:about)")
_SETTLE_CALL = text(f"{_SETTLED} delivery_id = :delivery_id and name = :name")
_LEASE = text(f"update mesh.effects set lease_until = :lease_until {_MINE}")  # noqa: S608


@dataclass(frozen=True)
class _Call:
    """One attempt at an outside call; its number fences it off from the others."""

    engine: Any
    delivery_id: UUID
    name: str
    attempts: int
    deadline: datetime

    @property
    def row(self) -> dict[str, Any]:
        return {"delivery_id": self.delivery_id, "name": self.name, "attempts": self.attempts}

    def lease_until(self) -> datetime:
        return min(clock.now() + LEASE, self.deadline)


def _is_held(lease_until: datetime) -> bool:
    """A lease further ahead than it can be means that the clock was set back; it counts as over."""
    now = clock.now()
    return now < lease_until <= now + LEASE


def _renew(calls: list[_Call]) -> None:
    for call in calls:
        with atomically(call.engine) as connection:
            connection.execute(_LEASE, {**call.row, "lease_until": call.lease_until()})


_leases: Leases[_Call] = Leases(_renew)


# A database that went away is looked for so often and so long: a restart or a failover takes less.
LOOK_S = 0.2
AWAY_S = 30.0


class Refusal(Exception):
    """A refusal already journalled, met again on a later attempt."""

    outcome = "refused"

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("detail", ""))
        self.code = error.get("code")
        self.detail = error.get("detail", "")


def settle(db: Session, about: Iterable[UUID], now: datetime) -> None:
    """It is known, or known never to be known, what became of the parked calls about these rows.

    They stay in the journal without what they said, so that no attempt makes them again.
    """
    db.execute(_SETTLE_ABOUT, {"about": list(about), "now": now})


def settle_call(connection: Connection, delivery_id: UUID, name: str, now: datetime) -> bool:
    """The same for one call that no row of ours settles. False when it is not parked."""
    values = {"delivery_id": delivery_id, "name": name, "now": now}
    return bool(changed(connection.execute(_SETTLE_CALL, values)))


class Journal:
    """Outside calls of one delivery, each under a name of its own.

    A port's error says what it knows in its class attribute `outcome`: "none" (nothing happened; the
    delivery is tried later), "refused" (settled: the provider said no) or "unknown".
    """

    def __init__(self, engine: Any, delivery_id: UUID, timeout: int) -> None:
        self._engine = engine
        self._delivery_id = delivery_id
        self._timeout = timedelta(seconds=timeout)

    def once(self, name: str, operation: Any, arguments: dict[str, Any], about: UUID | None = None) -> Any:
        """The operation's result: from the call, or from the journal when it was made before.

        `about` is the row that the call serves, by which a parked call is settled.
        """
        unknown = operation.__unknown__
        hints = get_type_hints(operation)
        result = TypeAdapter(hints.get("return", Any))
        key = f"{self._delivery_id}-{name}"
        call, before = self._begin(name, operation, arguments, about)
        if before is not None and before.state == "done":
            return result.validate_python(before.outcome) if before.outcome is not None else None
        if before is not None and before.state == "refused":
            raise Refusal(before.error)
        if before is not None and before.state in ("parked", "settled"):
            raise Parked(name)
        if call is None:
            assert before is not None
            raise Later(before.lease_until, f"{name} is being called by another attempt")
        # A connection already in a transaction (tests) is not another thread's to use.
        kept = nullcontext() if isinstance(self._engine, Connection) else _leases.holding(call)
        with kept:
            if before is not None and unknown == "park":
                self._settle(call, "parked")
                raise Parked(name)
            if before is not None and unknown == "reconcile":
                lookup = getattr(operation.__self__, f"{operation.__name__}_lookup")
                known_outcome = lookup(key=key, **arguments)
                if known_outcome is not None:
                    return self._done(call, known_outcome, result)
            if "key" in hints:
                arguments = {**arguments, "key": key}
            try:
                outcome = operation(**arguments)
            except Exception as error:
                self._failed(call, unknown, error)
                raise
            return self._done(call, outcome, result)

    def _failed(self, call: _Call, unknown: str, error: Exception) -> None:
        knows = getattr(error, "outcome", "unknown")
        if knows == "refused":
            code = getattr(error, "code", type(error).__name__)
            self._settle(call, "refused", {"code": code, "detail": str(error)})
        elif knows == "none":
            self._write(_FORGET, call.row)
        elif unknown == "park":
            self._settle(call, "parked", {"code": type(error).__name__, "detail": str(error)})
            raise Parked(call.name) from error
        else:
            self._write(_LEASE, {**call.row, "lease_until": clock.now()})

    def _begin(
        self, name: str, operation: Any, arguments: dict[str, Any], about: UUID | None
    ) -> tuple[_Call | None, Any]:
        """The call that is ours to make, if it is, and what is known of it from before."""
        row = {"delivery_id": self._delivery_id, "name": name}
        call = _Call(self._engine, self._delivery_id, name, 1, clock.now() + self._timeout)
        begun = {
            **row,
            "operation": operation.__qualname__,
            "about": about,
            "arguments": json.dumps(arguments, default=_plain),
            "lease_until": call.lease_until(),
            "now": clock.now(),
        }
        with alone(self._engine) as connection:
            if changed(connection.execute(_BEGIN, begun)):
                return call, None
        with atomically(self._engine) as db:
            before = db.execute(_READ, row).one()
            if before.state != "started" or _is_held(before.lease_until):
                return None, before
            # Whoever called before is gone; the row lock makes one attempt the heir.
            heir = replace(call, attempts=before.attempts + 1)
            db.execute(_AGAIN, {**heir.row, "lease_until": heir.lease_until()})
            return heir, before

    def _done(self, call: _Call, outcome: Any, result: TypeAdapter[Any]) -> Any:
        written = result.dump_python(outcome, mode="json")
        self._write(
            _DONE,
            {**call.row, "outcome": None if written is None else json.dumps(written), "now": clock.now()},
        )
        return outcome

    def _settle(self, call: _Call, state: str, error: Any = None) -> None:
        error_json = None if error is None else json.dumps(error)
        self._write(_SETTLE, {**call.row, "state": state, "error": error_json, "now": clock.now()})

    def _write(self, statement: TextClause, values: dict[str, Any]) -> None:
        """What became of a call is worth waiting for the database."""
        until = time.monotonic() + min(AWAY_S, self._timeout.total_seconds())
        while True:
            try:
                with alone(self._engine) as connection:
                    connection.execute(statement, values)
                return
            except DBAPIError as error:
                if not is_away(error) or time.monotonic() > until or isinstance(self._engine, Connection):
                    raise
            time.sleep(LOOK_S)


def _plain(value: Any) -> Any:
    if isinstance(value, type):
        return value.__name__
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return str(value)
