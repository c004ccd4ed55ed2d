"""Deliveries that come together: one transaction for all of them, or none of them done."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from somos.mesh import clock, outbox
from somos.mesh.database import Acting, atomically, forget_who_acts
from somos.mesh.problems import Conflict
from somos.mesh.runtime import Runtime

# Handlers lock rows and people one after the other, each batch in an order of its own: two of a module's would end up
# waiting for each other.
_TURN = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
_DONE = text("""
update mesh.deliveries set state = 'done', done_at = :now, last_error = null
where id = any(:ids) and state <> 'done' returning id
""")


class NotTogether(Conflict):
    """One of the deliveries fails, waits, or calls the outside; nothing was done."""

    code, title = "not-together", "Estas entregas não podem ser feitas juntas"


class Batch:
    """The transaction of several deliveries, and what is told of them once it is committed."""

    def __init__(self, connection: Connection, open: Collection[UUID]) -> None:
        self.connection = connection
        self.open = frozenset(open)  # the others were done before
        self.events: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.types: list[str] = []

    @classmethod
    @contextmanager
    def begin(cls, runtime: Runtime, module: str, ids: list[UUID]) -> Iterator["Batch"]:
        """What is raised inside undoes all of it."""
        with atomically(runtime.engine) as connection:
            connection.execute(_TURN, {"key": f"mesh.batch:{module}"})
            done = connection.execute(_DONE, {"ids": ids, "now": clock.now()})
            batch = cls(connection, done.scalars().all())
            yield batch
            outbox.write(connection, batch.events)
            forget_who_acts(runtime.engine)
        runtime.announce(batch.messages, batch.types)

    @contextmanager
    def part(self, acting: Acting) -> Iterator[Session]:
        """A session of its own for one delivery: it sees what the others wrote, and none of their rows in memory."""
        with Session(
            self.connection,
            info={"acting": acting},
            expire_on_commit=False,
            join_transaction_mode="rollback_only",
        ) as session:
            yield session
            session.commit()
