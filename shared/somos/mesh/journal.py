"""The journal of outside calls: intent is committed before the call, the outcome after it."""

import json
from datetime import timedelta
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text

from somos.mesh import clock
from somos.mesh.database import Acting, transaction
from somos.mesh.effects import Later, Parked
from somos.mesh.outbox import changed

_BEGIN = text("""
insert into mesh.effects (delivery_id, name, operation, state, arguments, lease_until, started_at)
values (:delivery_id, :name, :operation, 'started', cast(:arguments as jsonb), :lease_until, :now)
on conflict do nothing
""")
_READ = text(
    "select state, outcome, error, lease_until, attempts from mesh.effects "
    "where delivery_id = :delivery_id and name = :name for update"
)
_AGAIN = text(
    "update mesh.effects set state = 'started', attempts = attempts + 1, lease_until = :lease_until "
    "where delivery_id = :delivery_id and name = :name"
)
_SETTLE = text(
    "update mesh.effects set state = :state, outcome = cast(:outcome as jsonb), error = cast(:error as jsonb), "
    "finished_at = :now where delivery_id = :delivery_id and name = :name"
)
_RELEASE = text("update mesh.effects set lease_until = :now where delivery_id = :delivery_id and name = :name")


class Refusal(Exception):
    """A refusal already journalled, met again on a later attempt."""

    outcome = "refused"

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("detail", ""))
        self.code = error.get("code")
        self.detail = error.get("detail", "")


class Journal:
    """Outside calls of one delivery, each under a name of its own.

    A port's error says what it knows in its class attribute `outcome`: "none" (nothing happened; the
    delivery is tried later), "refused" (settled: the provider said no) or "unknown".
    """

    def __init__(self, engine: Any, acting: Acting, delivery_id: UUID, timeout: int) -> None:
        self._engine = engine
        self._acting = acting
        self._delivery_id = delivery_id
        self._lease = timedelta(seconds=timeout)

    def once(self, name: str, operation: Any, arguments: dict[str, Any]) -> Any:
        """The operation's result: from the call, or from the journal when it was made before."""
        unknown = operation.__unknown__
        hints = get_type_hints(operation)
        result = TypeAdapter(hints.get("return", Any))
        key = f"{self._delivery_id}-{name}"
        before = self._begin(name, operation, arguments)
        if before is not None:
            state, outcome, error, lease_until = before
            if state == "done":
                return result.validate_python(outcome) if outcome is not None else None
            if state == "refused":
                raise Refusal(error)
            if state == "parked":
                raise Parked(name)
            if state == "started":
                raise Later(lease_until, f"{name} is being called by another attempt")
            if unknown == "park":
                self._settle(name, "parked")
                raise Parked(name)
            if unknown == "reconcile":
                lookup = getattr(operation.__self__, f"{operation.__name__}_lookup")
                found = lookup(key=key, **arguments)
                if found is not None:
                    return self._done(name, found, result)
        if "key" in hints:
            arguments = {**arguments, "key": key}
        try:
            outcome = operation(**arguments)
        except Exception as error:
            self._failed(name, unknown, error)
            raise
        return self._done(name, outcome, result)

    def _failed(self, name: str, unknown: str, error: Exception) -> None:
        knows = getattr(error, "outcome", "unknown")
        if knows == "refused":
            code = getattr(error, "code", type(error).__name__)
            self._settle(name, "refused", error={"code": code, "detail": str(error)})
        elif knows == "none":
            self._forget(name)
        elif unknown == "park":
            self._settle(name, "parked", error={"code": type(error).__name__, "detail": str(error)})
            raise Parked(name) from error
        else:
            with transaction(self._engine, self._acting) as db:
                db.execute(_RELEASE, {**self._row(name), "now": clock.now()})

    def _begin(self, name: str, operation: Any, arguments: dict[str, Any]) -> tuple[Any, ...] | None:
        with transaction(self._engine, self._acting) as db:
            made = db.execute(
                _BEGIN,
                {
                    **self._row(name),
                    "operation": operation.__qualname__,
                    "arguments": json.dumps(arguments, default=_plain),
                    "lease_until": clock.now() + self._lease,
                    "now": clock.now(),
                },
            )
            if changed(made):
                return None
            found = db.execute(_READ, self._row(name)).one()
            if found.state == "started" and found.lease_until <= clock.now():
                # Whoever called before is gone; the row lock makes one attempt the heir.
                db.execute(_AGAIN, {**self._row(name), "lease_until": clock.now() + self._lease})
                return "expired", None, None, None
            return found.state, found.outcome, found.error, found.lease_until

    def _forget(self, name: str) -> None:
        with transaction(self._engine, self._acting) as db:
            db.execute(
                text("delete from mesh.effects where delivery_id = :delivery_id and name = :name"),
                self._row(name),
            )

    def _done(self, name: str, outcome: Any, result: TypeAdapter[Any]) -> Any:
        self._settle(name, "done", outcome=result.dump_python(outcome, mode="json"))
        return outcome

    def _settle(self, name: str, state: str, *, outcome: Any = None, error: Any = None) -> None:
        with transaction(self._engine, self._acting) as db:
            db.execute(
                _SETTLE,
                {
                    **self._row(name),
                    "state": state,
                    "outcome": None if outcome is None else json.dumps(outcome),
                    "error": None if error is None else json.dumps(error),
                    "now": clock.now(),
                },
            )

    def _row(self, name: str) -> dict[str, Any]:
        return {"delivery_id": self._delivery_id, "name": name}


def _plain(value: Any) -> Any:
    if isinstance(value, type):
        return value.__name__
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return str(value)
