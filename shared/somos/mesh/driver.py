"""pg8000 that says a whole statement at once: one round trip to PostgreSQL where it makes three.

By default nothing is kept on the server between statements, so a pooler between us and it may hand each transaction
another connection. What is kept here is how statements and their columns read, which is the same every time. With
`prepared_statements` the server keeps that many plans per connection as well.

Whatever of pg8000 is not public is used in this file alone; tests/contract/test_private_parts.py lists and tries it.
"""

import select
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import count
from typing import Any, Final

from pg8000 import dbapi, legacy
from pg8000.converters import DATE, TIMESTAMP, TIMESTAMPTZ, date_in, make_params, timestamp_in, timestamptz_in
from pg8000.core import CLOSE, NULL_BYTE, STATEMENT, SYNC, Context

_CLASSES = {"28000": legacy.InterfaceError, "23505": legacy.IntegrityError}
_REMEMBERED = 2000
# PostgreSQL's own number for "cancel what this session runs", sent on a connection made for it alone.
_CANCEL: Final = 80_877_102
_PATIENCE_S: Final = 2.0


def _iso_or(read: Callable[[str], Any], otherwise: Callable[[str], Any]) -> Callable[[str], Any]:
    """Twenty times faster than by a pattern; what is out of Python's years is left to pg8000."""

    def parse(text: str) -> Any:
        try:
            return read(text)
        except ValueError:
            return otherwise(text)

    return parse


_TIMES = {
    TIMESTAMPTZ: _iso_or(datetime.fromisoformat, timestamptz_in),
    TIMESTAMP: _iso_or(datetime.fromisoformat, timestamp_in),
    DATE: _iso_or(date.fromisoformat, date_in),
}


@dataclass(slots=True)
class _Prepared:
    """A statement that the server keeps under a name, and how its columns read; without a name it is not kept."""

    name: bytes = NULL_BYTE
    parsed: bool = False
    columns: Any = None
    input_funcs: Any = None


class Connection(legacy.Connection):
    """One session. `prepared_statements` is how many plans the server keeps for it while `prepares` is true."""

    def __init__(self, *args: Any, prepared_statements: int = 0, **kwargs: Any) -> None:
        self._columns: dict[bytes, tuple[Any, Any]] = {}
        self._most_prepared = prepared_statements
        self._prepared: OrderedDict[tuple[str, Any], _Prepared] = OrderedDict()
        self._names = count()
        self.prepares = True
        super().__init__(*args, **kwargs)
        for type_, read in _TIMES.items():
            self.register_in_adapter(type_, read)

    def cursor(self) -> "Cursor":
        return Cursor(self)

    @property
    def in_transaction(self) -> bool:
        return bool(self._in_transaction)

    def is_closed_by_server(self) -> bool:
        """Nothing is said on an idle connection but goodbye. Looking costs a microsecond, a ping a round trip."""
        poll = select.poll()
        poll.register(self._usock, select.POLLIN)
        return bool(poll.poll(0))

    def cancel(self) -> None:
        """End what this session runs; said by another thread, on a connection of its own."""
        # Backend and secret, as PostgreSQL told them at the start of the session.
        assert self._backend_key_data is not None
        request = struct.pack("!ii", 16, _CANCEL) + self._backend_key_data
        with socket.socket(self._usock.family) as connection:
            connection.settimeout(_PATIENCE_S)
            connection.connect(self._usock.getpeername())
            connection.sendall(request)

    def commit(self) -> None:
        if self.in_transaction:
            super().commit()

    def execute_unnamed(self, statement: str, vals: Any = (), oids: Any = (), stream: Any = None) -> Any:
        """What cursors, commits and rollbacks call."""
        if stream is not None:
            return super().execute_unnamed(statement, vals, oids, stream)
        if not vals:
            return self.execute_simple(statement)
        values = make_params(self.py_types, vals)
        if not (self.prepares and self._most_prepared):
            return self._say(_Prepared(), statement, values, oids)
        key = (statement, tuple(oids))
        prepared = self._prepared.get(key)
        if prepared is None:
            # Said for the first time, and perhaps for the last: what is said again is worth keeping.
            self._prepared[key] = _Prepared()
            self._forget_the_oldest()
            return self._say(_Prepared(), statement, values, oids)
        self._prepared.move_to_end(key)
        try:
            if prepared.name == NULL_BYTE:
                prepared.name = b"somos_%d\0" % next(self._names)
            return self._say(prepared, statement, values, oids)
        except Exception:
            # Whether the server kept it is not certain, or its plan is no longer valid.
            del self._prepared[key]
            self._close(prepared)
            raise

    def _say(self, prepared: _Prepared, statement: str, values: Any, oids: Any) -> Context:
        context = Context(statement, columns=prepared.columns, input_funcs=prepared.input_funcs)
        if not prepared.parsed:
            self.send_PARSE(prepared.name, statement, oids)
            self.send_DESCRIBE_STATEMENT(prepared.name)
        self.send_BIND(prepared.name, values)
        self.send_EXECUTE()
        self._send_message(SYNC, b"")
        self._sock.flush()
        self.handle_messages(context)
        prepared.parsed = prepared.name != NULL_BYTE
        prepared.columns, prepared.input_funcs = context.columns, context.input_funcs
        return context

    def _forget_the_oldest(self) -> None:
        while len(self._prepared) > self._most_prepared:
            self._close(self._prepared.popitem(last=False)[1])

    def _close(self, prepared: _Prepared) -> None:
        """Said together with whatever comes next; a name that the server does not know is no error."""
        if prepared.name != NULL_BYTE:
            self._send_message(CLOSE, STATEMENT + prepared.name)

    def handle_ROW_DESCRIPTION(self, data: bytes, context: Any) -> None:
        known = self._columns.get(data)
        if known is None:
            super().handle_ROW_DESCRIPTION(data, context)
            if len(self._columns) < _REMEMBERED:
                self._columns[data] = (context.columns, context.input_funcs)
            return
        context.columns, context.input_funcs = known
        context.rows = context.rows or []


class Cursor(legacy.Cursor):
    """Finds the placeholders of a statement's text once per process."""

    def execute(self, operation: str, args: Any = (), stream: Any = None) -> Any:
        connection = self._c
        if not args or stream is not None or connection is None:
            return super().execute(operation, args, stream)
        try:
            if not connection.in_transaction and not connection.autocommit:
                connection.execute_simple("begin transaction")
            self._context = connection.execute_unnamed(_numbered(operation), args, self._input_oids)
        except legacy.DatabaseError as error:
            # As pg8000's own cursor names them.
            fields = error.args[0]
            code = fields.get("C", "") if isinstance(fields, dict) else ""
            raise _CLASSES.get(code, legacy.ProgrammingError)(fields) from None
        self._row_iter = iter(self._context.rows or ())
        self._input_oids = ()
        return self


@lru_cache(maxsize=_REMEMBERED)
def _numbered(operation: str) -> str:
    """`%s` as `$1`, `$2`, ..."""
    statement: str = dbapi.convert_paramstyle("format", operation, ())[0]
    return statement
