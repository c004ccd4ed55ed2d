"""Transactions: who acts is told to PostgreSQL at the start of each, where row-level security reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError
from sqlalchemy.orm import Session, SessionTransaction

from somos.mesh import cancellation
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role

REPORT_MEMORY = "32MB"  # to sort and group in, for what declares `patience`

_SET_ROLE = text("select set_config('somos.role', :role, true)")


class Acting:
    """What the database is told of a transaction: the principal, and the function that acts for it. `patience`: how
    many seconds one statement may take, where that is more than the role's own limit."""

    __slots__ = ("actor_id", "correlation", "function", "patience", "principal")

    def __init__(
        self,
        principal: Principal,
        function: str,
        correlation: UUID | None = None,
        actor_id: UUID | None = None,
        patience: int | None = None,
    ) -> None:
        self.principal = principal
        self.function = function
        self.correlation = correlation
        self.actor_id = actor_id
        self.patience = patience

    def settings(self) -> dict[str, str]:
        company = self.principal.client_company_id
        return {
            "somos.user_id": str(self.principal.id),
            "somos.role": self.principal.role.value,
            "somos.client_company_id": "" if company is None else str(company),
            "somos.kind": self.principal.kind.value,
            "somos.actor_id": str(self.actor_id or ""),
            "somos.function": self.function,
            "somos.correlation": str(self.correlation or ""),
            **({"statement_timeout": f"{self.patience}s", "work_mem": REPORT_MEMORY} if self.patience else {}),
        }


def engine_for(url: str, pool_size: int = 8, prepared_statements: int = 0) -> Engine:
    """An engine for any PostgreSQL driver; `postgresql://` means pg8000, the default driver.

    With `prepared_statements` the server keeps that many plans for each of its connections; only where no pooler of
    transactions stands between. (psycopg does so by itself.)
    """
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+pg8000")
    arguments: dict[str, Any] = {}
    default = parsed.drivername.endswith("pg8000")
    if default:
        # Without this pg8000 builds a TLS context per connection, 30 ms each.
        arguments["ssl_context"] = _tls(parsed.query)
        arguments["prepared_statements"] = prepared_statements
        parsed = parsed.difference_update_query(["sslmode"])
    engine = create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=2,
        pool_recycle=1800,
        pool_timeout=10,
        pool_use_lifo=True,  # idle connections age and are given back
        pool_pre_ping=not default,
        hide_parameters=True,  # whatever prints an error prints nobody's data
        connect_args=arguments,
    )
    if default:
        _speak_through_our_driver(engine)
        _notice_lost_connections(engine)
        cancellation.track_connections(engine)
    return engine


def _tls(query: Any) -> Any:
    mode = query.get("sslmode", "disable")
    if mode == "disable":
        return False
    import ssl

    context = ssl.create_default_context()
    if mode in ("require", "prefer", "allow"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _speak_through_our_driver(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, named: Any) -> Any:
        from somos.mesh.driver import Connection

        return Connection(*arguments, **named)


def _notice_lost_connections(engine: Engine) -> None:
    """A server that went away and came back costs whoever was talking to it an error, and nobody else."""

    @event.listens_for(engine, "checkout")
    def leave_closed_ones(raw: Any, _record: Any, _proxy: Any) -> None:
        raw.prepares = True  # until a person acts in it
        if raw.is_closed_by_server():
            raise DisconnectionError("the server closed this connection")

    @event.listens_for(engine, "handle_error")
    def name_lost_ones(context: ExceptionContext) -> None:
        # pg8000 lets some of the socket's own errors through as they are.
        if isinstance(context.original_exception, OSError):
            context.is_disconnect = True
            raise InterfaceError(context.statement, None, context.original_exception, connection_invalidated=True)


def sqlstate(error: DBAPIError) -> str:
    """The five characters by which PostgreSQL names an error, whatever the driver."""
    original: Any = error.orig
    if original is None:
        return ""
    if hasattr(original, "sqlstate"):
        return original.sqlstate or ""
    first = original.args[0] if original.args else ""
    return first.get("C", "") if isinstance(first, dict) else ""


def is_away(error: DBAPIError) -> bool:
    """Whether the server could not be asked; otherwise it understood the question and refused it."""
    return sqlstate(error) in ("", "57P01", "57P02", "57P03", "08006", "08001")


@event.listens_for(Session, "after_begin")
def _tell_who_acts(session: Session, transaction: SessionTransaction, connection: Any) -> None:
    acting: Acting | None = session.info.get("acting")
    if acting is None or transaction.nested:
        return
    settings = acting.settings()
    raw = connection.connection.dbapi_connection
    calls = ", ".join(f"set_config('{name}', '{_literal(value)}', true)" for name, value in settings.items())
    if hasattr(raw, "execute_simple"):
        # Steps say the same again and again, all as the system. What people ask differs by role, and a plan made for
        # one of them would serve another badly.
        raw.prepares = acting.principal.kind is Kind.system
        # One round trip for both; pg8000 then sees a transaction and does not begin another.
        begin = "" if raw.in_transaction else "begin;"
        try:
            raw.execute_simple(f"{begin}select {calls}")
        except (OSError, connection.dialect.loaded_dbapi.Error) as error:
            # Past SQLAlchemy's own cursors, so what it does for them is done here.
            connection.invalidate(error)
            raise InterfaceError(begin, None, error, connection_invalidated=True) from error
    else:
        cursor = raw.cursor()
        cursor.execute(f"select {calls}")
        cursor.close()


def _literal(value: str) -> str:
    """Ids, role and function names only; anything that could end a literal is refused."""
    if "'" in value or "\\" in value or "\x00" in value:
        raise ValueError("a principal's attribute holds a quote")
    return value


@contextmanager
def atomically(engine: Any) -> Iterator[Connection]:
    """The mesh's own statements, which act for nobody: one commit, or a savepoint of a test's connection."""
    if isinstance(engine, Connection):
        with engine.begin_nested():
            yield engine
    else:
        with engine.begin() as connection:
            yield connection


@contextmanager
def alone(engine: Any) -> Iterator[Connection]:
    """For one statement that is a transaction by itself: nothing is said to begin or to commit it.

    On a test's connection it is one statement more; if it fails, the test's transaction fails with it.
    """
    if isinstance(engine, Connection):
        yield engine
        return
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        raw.autocommit = True
        try:
            yield connection
        finally:
            raw.autocommit = False


@contextmanager
def transaction(engine: Any, acting: Acting) -> Iterator[Session]:
    """A session whose writes are one commit; anything raised inside rolls all of it back.

    `engine` may be a connection already in a transaction (tests): then it is a savepoint of it.
    """
    with Session(
        engine,
        info={"acting": acting},
        expire_on_commit=False,
        join_transaction_mode="create_savepoint",
    ) as session:
        yield session
        session.commit()
    forget_who_acts(engine)


def forget_who_acts(engine: Any) -> None:
    """On a test's connection, what a commit does by itself: the mesh's own statements, which come next, act for
    nobody."""
    if isinstance(engine, Connection):
        engine.execute(_SET_ROLE, {"role": ""})


@contextmanager
def elevated(db: Session, role: str) -> Iterator[Session]:
    """Write as the system inside a transaction that otherwise acts for `role`.

    What is written inside is flushed inside, so nothing of the caller's slips through with the system's rights.
    """
    db.flush()
    db.execute(_SET_ROLE, {"role": Role.system.value})
    yield db
    db.flush()
    db.execute(_SET_ROLE, {"role": role})
