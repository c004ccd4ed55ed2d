"""What a handler holds while it runs: who asks, the transaction, and the ways out of it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar, cast
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from somos.mesh import clock, locks, outbox, tasks, text_search
from somos.mesh.batch import Batch
from somos.mesh.database import Acting, elevated, transaction
from somos.mesh.effects import MAY_BE_PARKED, Later
from somos.mesh.events import Event
from somos.mesh.ids import uuid7
from somos.mesh.journal import Journal, settle
from somos.mesh.log import log
from somos.mesh.notifier import announcement
from somos.mesh.problems import Conflict, Invalid, NotFound, Stale
from somos.mesh.runtime import Runtime
from somos.mesh.schemas import Filter, Page, Record, View
from somos.policy.principals import SYSTEM, Kind, Principal
from somos.policy.scopes import visible

Row = TypeVar("Row")
V = TypeVar("V", bound=BaseModel)
P = ParamSpec("P")
R = TypeVar("R")
Port = TypeVar("Port")


_DONE = text(
    "update mesh.deliveries set state = 'done', done_at = :now, last_error = null where id = :id and state <> 'done'"
)


class AlreadyDone(Exception):
    """This delivery was completed by another attempt; nothing is to be done."""


class Misuse(RuntimeError):
    """A handler asks for something its kind of function cannot do; the message says what to do instead."""


@dataclass(frozen=True)
class DeliveryRef:
    """The delivery a step is answering, and which attempt at it this is (None: the worker did not say)."""

    id: UUID
    event_id: UUID
    timeout: int
    attempt: int | None = None


@dataclass
class Context:
    """One per request or delivery."""

    runtime: Runtime
    principal: Principal
    function: str
    correlation: UUID = field(default_factory=uuid7)
    actor_id: UUID | None = None
    traceparent: str | None = None
    address: str = ""
    delivery: DeliveryRef | None = None
    filter: Filter | None = None
    if_match: int | None = None
    patience: int | None = None
    batch: Batch | None = None

    def __post_init__(self) -> None:
        self.log = log
        self._scope = ExitStack()
        self._db: Session | None = None
        self._events: list[tuple[Event, datetime | None]] = []
        self._messages: list[dict[str, Any]] = []
        self._wrote = False
        self._locked: tuple[type[Any], UUID] | None = None

    # -- who and when

    @property
    def now(self) -> datetime:
        return clock.now()

    @property
    def today(self) -> date:
        """The date in São Paulo."""
        return clock.today()

    @property
    def settings(self) -> Any:
        return self.runtime.settings

    @cached_property
    def _acting(self) -> Acting:
        # Public endpoints (login, unsubscribe links) hold no principal: their code is what is trusted.
        principal = SYSTEM if self.principal.kind is Kind.anonymous else self.principal
        return Acting(principal, self.function, self.correlation, self.actor_id, self.patience)

    @property
    def engine(self) -> Any:
        """Where the mesh's own statements go: in a batch its one connection."""
        return self.runtime.engine if self.batch is None else self.batch.connection

    def _transaction(self) -> AbstractContextManager[Session]:
        if self.batch is not None:
            return self.batch.part(self._acting)
        return transaction(self.runtime.engine, self._acting)

    # -- reading and writing

    @property
    def db(self) -> Session:
        """The one transaction. A request opens it on first use; a step inside `with ctx.write()`."""
        if self._db is None:
            if self.delivery is not None:
                raise Misuse("a step reads with ctx.read(...) and writes inside `with ctx.write() as db:`")
            self._db = self._scope.enter_context(transaction(self.runtime.engine, self._acting))
        return self._db

    def read(self, query: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a query in a short transaction of its own; it returns plain values."""
        if self._db is not None:
            return query(self._db, *args, **kwargs)
        with self._transaction() as db:
            return query(db, *args, **kwargs)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A step's one transaction: its writes, its events and its delivery's completion are one commit."""
        if self.delivery is None:
            raise Misuse("a request has one transaction already: ctx.db")
        if self._wrote:
            raise Misuse("a step writes once; split it into two steps joined by an event")
        with self._transaction() as db:
            if self.batch is None:
                done = db.execute(_DONE, {"id": self.delivery.id, "now": self.now})
                if not outbox.changed(done):
                    raise AlreadyDone
            self._db = db
            try:
                yield db
                self._before_commit(db)
            finally:
                self._db = None
        self._wrote = True
        self._after_commit()

    @contextmanager
    def apart(self) -> Iterator[Session]:
        """A part of the transaction that may fail alone: then its rows, events and notices go with it."""
        events, messages = len(self._events), len(self._messages)
        try:
            with self.db.begin_nested():
                yield self.db
        except BaseException:
            del self._events[events:], self._messages[messages:]
            raise

    def as_system(self) -> AbstractContextManager[Session]:
        """Write rows that the matrix keeps from this principal, once an action or the code allowed it.

        The audit trail still names the principal.
        """
        return elevated(self.db, self._acting.principal.role.value)

    def visible(self, table: type[Row], *, most: bool = False) -> Select[Row]:
        """Rows of `table` that the principal may see; `most` when a report is about to read most of them."""
        return visible(self.principal, table, most=most)

    def chosen(self, filter: Filter) -> Select[Any]:
        """Visible rows of the filter's table that it chooses, its words looked up first."""
        statement = self.visible(filter.table).where(*filter.clauses())
        narrowed = text_search.among(self.db, filter.table, filter.sought())
        return statement if narrowed is None else statement.where(narrowed)

    def get(self, table: type[Row], id: UUID, *, lock: bool = False) -> Row:
        """One visible row. With `lock`, for update, and If-Match is honoured.

        Raises NotFound (also for rows of others) and Stale.
        """
        statement = self.visible(table).where(cast(Any, table).id == id)
        if lock:
            self._locked = (table, id)
            # Only this table's row: what the scope joins stays unlocked.
            statement = statement.with_for_update(of=table)
        row = self.db.scalars(statement).first()
        if row is None:
            raise NotFound
        version = getattr(row, "version", None)
        if lock and self.if_match is not None and version is not None and version != self.if_match:
            raise Stale
        return row

    def linked(self, table: type[Row], id: UUID, field: str) -> Row:
        """The visible row that a field of what was sent points at. Raises Invalid when there is none."""
        row = self.db.scalars(self.visible(table).where(cast(Any, table).id == id)).first()
        if row is None:
            raise Invalid("Não encontrado", field=field)
        return row

    def lock(self, kind: str, keys: Iterable[str | None]) -> None:
        """Until this transaction ends, nobody else holds these keys of `kind` ("sdr.person"), in any function.

        Take all keys of a kind at once, before any row: they are locked in one order, so that two never wait for each
        other. None is no key.
        """
        locks.take(self.db, kind, keys)

    def next_number(self) -> int:
        """A number above all that were given before, for facts of which a newer one replaces an older one.

        Take it under the lock of what the fact is about: then who reads later has the higher number.
        """
        return int(self.db.execute(text("select nextval('mesh.statements')")).scalar_one())

    def create(self, table: type[Row], draft: BaseModel | None = None, **values: Any) -> Row:
        """A new row of what was sent and of `values`, which win; written, so that its keys and checks are known."""
        sent = draft.model_dump() if draft is not None else {}
        row = table(**(sent | values))
        self.db.add(row)
        self.db.flush()
        return row

    def change(self, row: Row, patch: BaseModel | None = None, **values: Any) -> Row:
        """The row with the fields that were sent, and with `values`, which win; written."""
        sent = patch.model_dump(exclude_unset=True) if patch is not None else {}
        for name, value in (sent | values).items():
            setattr(row, name, value)
        self.db.flush()
        return row

    def show(self, row: Any, view: type[V]) -> V:
        """The row as the API gives it."""
        return view.model_validate(row)

    def refuse_twin(self, twins: Select[Any], view: type[V], detail: str, code: str) -> None:
        """Raises Conflict, with the twin as it is, when there is one among `twins`."""
        twin = self.db.scalars(twins.limit(1)).first()
        if twin is not None:
            raise Conflict(detail, code=code, fresh=self.show(twin, view))

    def page(self, statement: Select[Any], view: type[V]) -> Page[V]:
        """One page of `statement` in the order and from the cursor that the request's Filter states."""
        query = self.filter or Filter()
        rows: list[Any] = []
        for run in query.runs(statement):
            if len(rows) <= query.limit:
                rows += self.db.scalars(run.limit(query.limit + 1 - len(rows)))
        more = len(rows) > query.limit
        rows = rows[: query.limit]
        return Page[view](  # type: ignore[valid-type]
            items=[view.model_validate(row) for row in rows],
            next=query.cursor_of(rows[-1]) if more else None,
        )

    def count(self, statement: Select[Any]) -> int:
        return self.db.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0

    # -- stating facts, telling people

    def emit(self, event: Event, after: datetime | None = None) -> None:
        """State a fact in this transaction; `after` delays its consumers."""
        if event.type not in self.runtime.routes.emits.get(self.function, ()):
            raise Misuse(
                f"{self.function} emits {type(event).__name__}, which its map does not know: run `somos derive`, "
                f"and write the class in the call, ctx.emit({type(event).__name__}(...))"
            )
        if self._db is None and self.delivery is not None:
            raise Misuse("emit inside `with ctx.write()`: an event is part of the transaction it states")
        self._events.append((event, after))

    def notify(self, type: str, data: dict[str, Any], *, to: UUID | None = None, role: str | None = None) -> None:
        """Tell connected people after the commit; best effort, ids and short texts only."""
        self._messages.append(announcement(type, data, self.now, user=to, role=role))

    def start_task(self, kind: str, subject_id: UUID | None = None) -> UUID:
        """Begin work that the principal waits for."""
        return tasks.start(self.db, kind, subject_id, self.principal.id, self.now)

    def progress(self, task_id: UUID, **counters: Any) -> None:
        """Merge counters into the task and notify its owner."""
        self._announce(tasks.update(self.db, task_id, self.now, progress=counters))

    def finish_task(self, task_id: UUID, result: dict[str, Any]) -> None:
        self._announce(tasks.update(self.db, task_id, self.now, state="succeeded", result=result))

    def fail_task(self, task_id: UUID, reason: str) -> None:
        self._announce(tasks.update(self.db, task_id, self.now, state="failed", error=reason))

    def cancel_task(self, task_id: UUID) -> None:
        self._announce(tasks.update(self.db, task_id, self.now, state="cancelled"))

    # -- the outside

    def port(self, protocol: type[Port]) -> Port:
        """The adapter behind a port, as configured."""
        return cast(Port, self.runtime.wiring.port(protocol))

    def once(self, name: str, operation: Callable[..., R], *, about: UUID | None = None, **arguments: Any) -> R:
        """Call the outside through the journal: a crash never repeats the effect blindly.

        `about` is the row that the call serves: a call that may end parked needs one, so that `ctx.settle` clears it.
        Raises Parked when only a person can tell whether it happened, and the port's own errors.
        """
        if self._db is not None:
            raise Misuse("ctx.once calls the outside: do it before `with ctx.write()`, never inside")
        if self.delivery is None:
            raise Misuse("a request does not call the outside: emit an event and let a step do it")
        if self.batch is not None:
            raise Misuse("a batch calls nobody: take its events from a queue that does not batch")
        if about is None and getattr(operation, "__unknown__", None) in MAY_BE_PARKED:
            raise Misuse(f"{name} may wait for a person: say which row it serves, ctx.once(..., about=<its id>)")
        journal = Journal(self.runtime.engine, self.delivery.id, self.delivery.timeout)
        return cast(R, journal.once(name, operation, arguments, about))

    def settle(self, *about: UUID) -> None:
        """In this transaction: what became of parked calls about these rows is known; they wait for nobody any more."""
        with self.as_system() as db:  # the journal is the mesh's own to change
            settle(db, about, self.now)

    def is_last_attempt(self) -> bool:
        """Whether this delivery would be dead if it failed now: the one attempt that may settle for less."""
        if self.delivery is None:
            raise Misuse("a request is not tried again")
        last = text("select attempts >= max_attempts from mesh.deliveries where id = :id")
        return bool(self.read(lambda db: db.scalar(last, {"id": self.delivery.id if self.delivery else None})))

    def later(self, due: datetime | float, why: str) -> NoReturn:
        """Leave, and be delivered again at `due` (a time, or seconds from now)."""
        raise Later(due, why)

    # -- the end of it

    def commit(self) -> None:
        """The dispatcher's, at the end of a request: events and writes become one commit."""
        if self._db is not None or self._events:
            self._before_commit(self.db)
            self._scope.close()
            self._db = None
        self._after_commit()

    def abandon(self, error: BaseException) -> None:
        """The dispatcher's, when the handler raised: nothing of it stays."""
        self._scope.__exit__(type(error), error, error.__traceback__)
        self._db = None

    def fresh(self, view: Any) -> Any:
        """The dispatcher's, after `abandon`: the row that the handler had locked, as it is now; None without one.

        A view that tells more than the row holds gives way to the one that it extends.
        """
        views = [one for one in getattr(view, "__mro__", ()) if issubclass(one, View) and one not in (View, Record)]
        if self._locked is None or not views:
            return None
        table, id = self._locked
        with transaction(self.runtime.engine, self._acting) as db:
            row = db.scalars(self.visible(table).where(cast(Any, table).id == id)).first()
            for one in views if row is not None else ():
                with suppress(ValidationError):
                    return one.model_validate(row)
        return None  # this endpoint answers with something else

    def _before_commit(self, db: Session) -> None:
        db.flush()
        events = outbox.rows(self._events, self._cause())
        if self.batch is None:
            outbox.write(db, events)
        else:
            self.batch.events += events

    def _after_commit(self) -> None:
        now = self.now
        types = [event.type for event, after in self._events if after is None or after <= now]
        if self.batch is None:
            self.runtime.announce(self._messages, types)
        else:
            self.batch.messages += self._messages
            self.batch.types += types
        self._events, self._messages = [], []

    def _cause(self) -> outbox.Cause:
        return outbox.Cause(
            correlation=self.correlation,
            causation=self.delivery.event_id if self.delivery else None,
            actor_id=self.actor_id or (self.principal.id if self.principal.is_person else None),
            emitted_by=self.function,
            traceparent=self.traceparent,
        )

    def _announce(self, message: dict[str, Any] | None) -> None:
        if message is not None:
            self._messages.append(message)
