"""The mesh's own tables, in schema `mesh`: what happened, what is due, what was called, who changed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Root, one_of
from somos.policy.scopes import Own

SCHEMA: dict[str, Any] = {"schema": "mesh"}


class Record(Root):
    """A row of the runtime: neither scoped nor audited."""

    __abstract__ = True
    __table_args__: Any = SCHEMA


class Outbox(Record):
    """Events, written in the transaction of what they state; fanned out to one delivery per consumer."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_unfanned", "id", postgresql_where=text("fanned_at is null")),
        Index("ix_outbox_fanned", "fanned_at", postgresql_where=text("fanned_at is not null")),
        Index("ix_outbox_correlation", "correlation"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    due_at: Mapped[datetime]
    occurred_at: Mapped[datetime]
    correlation: Mapped[UUID]
    causation: Mapped[UUID | None]
    actor_id: Mapped[UUID | None]
    emitted_by: Mapped[str]
    traceparent: Mapped[str | None]
    fanned_at: Mapped[datetime | None]


class Delivery(Record):
    """One event for one consumer. `due_at` is also the lease: a claim moves it past the timeout."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "function", "type"),
        Index("ix_deliveries_due", "queue", "due_at", postgresql_where=text("state = 'due'")),
        Index("ix_deliveries_dead", "dead_at", postgresql_where=text("state = 'dead'")),
        Index("ix_deliveries_done", "done_at", postgresql_where=text("state = 'done'")),
        one_of("state", ["due", "done", "dead"]),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    type: Mapped[str]
    function: Mapped[str]
    queue: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="due")
    due_at: Mapped[datetime]
    timeout: Mapped[int]
    attempts: Mapped[int] = mapped_column(server_default="0")
    max_attempts: Mapped[int]
    last_error: Mapped[str | None]
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]


class Effect(Record):
    """The journal of outside calls: intent first, outcome after; also the record of every model call.

    `about` is the row that the call serves; what a person says of that row settles a call that was parked.
    """

    __tablename__ = "effects"
    __table_args__ = (
        Index("ix_effects_unsettled", "operation", "state", postgresql_where=text("state <> 'done'")),
        Index("ix_effects_parked", "about", postgresql_where=text("state = 'parked'")),
        Index("ix_effects_finished", "finished_at"),
        one_of("state", ["started", "done", "refused", "parked", "settled"]),
        SCHEMA,
    )

    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    operation: Mapped[str]
    about: Mapped[UUID | None]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="1")
    arguments: Mapped[dict[str, Any]]
    outcome: Mapped[Any] = mapped_column(JSONB, nullable=True)
    error: Mapped[dict[str, Any] | None]
    lease_until: Mapped[datetime]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Idempotency(Record):
    """The answer given to a POST under an Idempotency-Key, written in its business transaction."""

    __tablename__ = "idempotency"

    principal_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)


class Inbox(Record):
    """What providers reported, raw, once per their own id."""

    __tablename__ = "inbox"
    __table_args__ = (UniqueConstraint("function", "dedupe"), Index("ix_inbox_received", "received_at"), SCHEMA)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    function: Mapped[str]
    provider: Mapped[str]
    dedupe: Mapped[str]
    headers: Mapped[dict[str, Any]]
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str]
    altered: Mapped[bool] = mapped_column(server_default="false")
    received_at: Mapped[datetime]


class Task(Record):
    """Work that a person waits for, kept in the schema of the module that serves it: `agents`.

    `progress` and `result` are small JSON objects.
    """

    __tablename__ = "tasks"
    __table_args__ = (one_of("state", ["running", "succeeded", "failed", "cancelled"]), {"schema": "agents"})
    __scope__ = Own("owner_id")

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    owner_id: Mapped[UUID] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(server_default="running")
    progress: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Audit(Record):
    """Who changed which row, from what to what. Written by triggers only; the application may read it."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_row", "table_name", "row_id", "id"), SCHEMA)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    table_name: Mapped[str]
    row_id: Mapped[UUID]
    op: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_kind: Mapped[str | None]
    function: Mapped[str | None]
    correlation: Mapped[UUID | None]
    changes: Mapped[dict[str, Any]]


class AuditUnsealed(Record):
    """The audit rows that wait for their seal, and the transaction that wrote each."""

    __tablename__ = "audit_unsealed"

    audit_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    written_in: Mapped[int] = mapped_column(BigInteger)


class Searched(Record):
    """The words by which a row is found, kept by triggers; only `mesh.rows_holding` reads them."""

    __tablename__ = "searched"
    __table_args__ = (
        Index(
            "ix_searched_words",
            "table_name",
            "words",
            postgresql_using="gin",
            postgresql_ops={"words": "gin_trgm_ops"},
        ),
        SCHEMA,
    )

    table_name: Mapped[str] = mapped_column(primary_key=True)
    row_id: Mapped[UUID] = mapped_column(primary_key=True)
    words: Mapped[str]


class AuditSeal(Record):
    """The chain over the audit rows: each seal hashes its row and the seal before.

    Rows past their years are forgotten with their seals; the last of these stays as the chain's beginning, without
    `audit_id`.
    """

    __tablename__ = "audit_seals"

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    audit_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class TimerState(Record):
    """Up to which minute a timer's schedule was looked at."""

    __tablename__ = "timers"

    function: Mapped[str] = mapped_column(primary_key=True)
    ticked_at: Mapped[datetime]


class Heartbeat(Record):
    """When a part of the stack was last alive."""

    __tablename__ = "heartbeats"

    part: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
