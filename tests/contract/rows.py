"""One row of every table, made from what the table says of itself: types, checks, keys, scope.

A new table needs nothing here unless one of its columns holds more than its type says; then it gets a line
in `SAID`.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, Computed, Date, DateTime, Float, Integer, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from somos.mesh.ids import uuid7
from somos.mesh.records import Delivery, Outbox
from somos.mesh.tables import Root
from somos.migrations import load_tables
from somos.policy import rls
from somos.policy.matrix import Reach
from somos.policy.roles import Role
from somos.policy.scopes import Everyone, access, scope_of
from tests.harness import days
from tests.harness.mesh import Mesh

TODAY = days.chosen()

# What a column holds beyond its type, by table. A function is given the rows.
SAID: dict[str, dict[str, Any]] = {
    "auth.api_keys": {"scopes": ["hunter:read"], "expires_at": TODAY + timedelta(days=90), "revoked_at": None},
    "crm.companies": {"document": None, "merged_into_id": None},
    "crm.contacts": {"merged_into_id": None},
    "crm.deals": {"lost_reason_id": None, "closed_at": None, "closed_on": None, "lead_id": None},
    "crm.imports": {"applied_at": None, "undone_at": None, "headers": lambda rows: [rows.word]},
    "crm.import_rows": {"state": "ready", "cells": lambda rows: {"Empresa": rows.word}, "made": {}},
    "crm.merges": {
        "survivor_id": lambda rows: rows.id("crm.companies"),
        "absorbed_id": lambda rows: rows.another("crm.companies"),
    },
    "crm.deal_activities": {"kind": "task", "reference_id": None, "done_at": None},
    "crm.deal_stage_history": {
        "left_at": None,
        "next_state": None,
        "state": "open",
        "entered_at": TODAY - timedelta(days=3),
    },
    "crm.taggings": {"company_id": None, "contact_id": None},
    "hunter.credit_days": {"day": lambda rows: TODAY.date() + timedelta(days=rows.owner.int % 10_000)},
    "hunter.icp_versions": {"criteria": {"segments": ["agência de publicidade"]}},
    "hunter.leads": {"state": "scored", "duplicate_of": None, "deal_id": None, "erased_at": None, "erased_why": None},
    "hunter.merge_suggestions": {"other_id": lambda rows: rows.another("hunter.leads"), "state": "open"},
    "sdr.approvals": {
        "subject_type": "outreach_message",
        "subject_id": lambda rows: rows.id("sdr.outreach_messages"),
        "expires_at": TODAY + timedelta(days=2),
        "decided_by": None,
    },
    "sdr.cadence_steps": {"condition": "always", "else_step": None, "channel": "email"},
    "sdr.cadence_versions": {"version_no": 0, "published_at": None, "published_by": None},
    "sdr.kill_switches": {"off_at": None, "off_by": None},
    "sdr.outreach_messages": {
        "state": "awaiting_approval",
        "approval_id": None,
        "left_at": None,
        "channel": "email",
        "erased_at": None,
    },
    "sdr.responses": {
        "lead_id": lambda rows: rows.id("hunter.leads"),
        "label": None,
        "classified_by": None,
        "channel": "email",
        "erased_at": None,
    },
    "sdr.senders": {"health_until": None, "channel": "email"},
}
# Whose a row is, when a column says so without being the scope's.
PEOPLE = ("owner_id", "author_id", "assignee_id", "from_user_id", "to_user_id", "decided_by")


class Rows:
    """Rows of one owner; every text in them holds `word`. What belongs to the house is `house`'s, when given."""

    def __init__(self, mesh: Mesh, owner: UUID, word: str, house: "Rows | None" = None) -> None:
        self.mesh, self.owner, self.word, self.house = mesh, owner, word, house
        self._ids: dict[str, UUID] = {"auth.users": owner}
        self.made: list[UUID] = []

    def id(self, table: str) -> UUID:
        """The row of this table, made the first time it is asked for."""
        if table not in self._ids:
            self._ids[table] = (
                self.house.id(table) if self._is_of_the_house(table) and self.house else self._make(table)
            )
        return self._ids[table]

    def another(self, table: str, **said: Any) -> UUID:
        """One more row of it."""
        return self._make(table, **said)

    def all(self) -> "Rows":
        """Make every row there can be."""
        for table in tables():
            self.id(table)
        return self

    def own(self) -> dict[str, UUID]:
        """The rows that were made for this owner alone."""
        return {name: id for name, id in self._ids.items() if name != "auth.users" and not self._is_of_the_house(name)}

    def dead(self) -> UUID:
        """A delivery that was given up: the mesh's own, so of nobody."""
        with self.mesh.db() as db:
            event = Outbox(
                id=uuid7(), type="crm.deal.won", data={}, due_at=TODAY, occurred_at=TODAY, correlation=uuid7(),
                emitted_by="test", fanned_at=TODAY,
            )  # fmt: skip
            delivery = Delivery(
                id=uuid7(), event_id=event.id, type=event.type, function="crm-on-sales-facts", queue="default",
                state="dead", due_at=TODAY, timeout=30, attempts=8, max_attempts=8, dead_at=TODAY,
            )  # fmt: skip
            db.add_all([event, delivery])
            return delivery.id

    def named(self, name: str) -> UUID | None:
        """The row that a field or a parameter of this name (`deal_id`) would hold."""
        table = table_of(name)
        return self.id(table) if table else None

    def _is_of_the_house(self, table: str) -> bool:
        mapped = tables()[table]
        return isinstance(scope_of(mapped), Everyone) or access(mapped, Role.Comercial, "read") is not Reach.own

    def _make(self, table: str, **said: Any) -> UUID:
        mapped = tables()[table]
        with self.mesh.db() as db:
            values = {
                column.key: value
                for column in mapped.__table__.columns
                if (value := self._value(table, column, said)) is not LEFT
            }
            self.made.append(_insert(db, mapped, values))
            return self.made[-1]

    def _value(self, table: str, column: Column[Any], said: dict[str, Any]) -> Any:
        known = {**SAID.get(table, {}), **said}
        if column.key in known:
            value = known[column.key]
            return value(self) if callable(value) else value
        if column.primary_key:
            return uuid7()
        if isinstance(column.server_default, Computed) or column.key in ("version", "created_at", "updated_at"):
            return TODAY if table == "agents.tasks" else LEFT
        if states := _choices(column):
            return LEFT if column.default or column.nullable else states[0]
        if isinstance(column.type, Uuid):
            return self._reference(column)
        if column.default is not None or (column.server_default is not None and not column.nullable):
            return LEFT
        return self._plain(table, column)

    def _reference(self, column: Column[Any]) -> Any:
        if column.key in PEOPLE or column.key.endswith("_by"):
            return self.owner
        keys = {key.column.table.fullname for key in column.foreign_keys} - {column.table.fullname}
        for target in keys:
            self.id(target)  # a key of several columns wants its row, too
        target = table_of(column.key)
        if target == column.table.fullname or (column.nullable and not keys):
            return None
        return self.id(target) if target else uuid7()

    def _plain(self, table: str, column: Column[Any]) -> Any:
        kind = column.type
        if isinstance(kind, JSONB):
            return [] if "list[" in str(tables()[table].__annotations__.get(column.key)) else {}
        for type_, value in PLAIN.items():
            if isinstance(kind, type_):
                return value
        return f"{self.word} {column.key}"[: getattr(kind, "length", None) or 200]


LEFT: Any = object()
PLAIN: dict[type[Any], Any] = {
    Boolean: False,
    Integer: 1,
    Float: 1.0,
    DateTime: TODAY - timedelta(days=3),
    Date: TODAY.date() + timedelta(days=8),
    ARRAY: [],
}


@cache
def tables() -> dict[str, type[Any]]:
    """Every business table, by its full name."""
    load_tables()
    found = {mapped.__table__.fullname: mapped for mapped in rls.protected_tables(Root)}
    return {name: mapped for name, mapped in found.items() if mapped.__table__.schema != "mesh"}


@cache
def table_of(name: str) -> str | None:
    """`deal_id`, `deal_ids` or `deals` -> `crm.deals`: by a foreign key of that name, else by the table's own."""
    stem = name.removesuffix("s").removesuffix("_id")
    for table in tables().values():
        for key in table.__table__.foreign_key_constraints:
            if key.column_keys == [f"{stem}_id"] and key.referred_table is not table.__table__:
                return str(key.referred_table.fullname)
    wanted = {stem, f"{stem}s", f"{stem[:-1]}ies", name}
    fits: Callable[[str], bool] = lambda full: any(  # noqa: E731
        full.split(".")[1] == one or full.split(".")[1].endswith(f"_{one}") for one in wanted
    )
    return next((full for full in sorted(tables(), key=len) if fits(full)), None)


def _insert(db: Session, mapped: type[Any], values: dict[str, Any]) -> UUID:
    row = mapped(**values)
    db.add(row)
    try:
        db.flush()
    except Exception as error:
        said = f"say in tests/contract/rows.py what a row of {mapped.__table__} holds: {error}"
        raise AssertionError(said) from None
    made: UUID = row.id
    return made


def _choices(column: Column[Any]) -> list[str]:
    """The values that a CHECK of `one_of` allows."""
    for check in column.table.constraints:
        if isinstance(check, CheckConstraint):
            name, _, listed = str(check.sqltext).partition(" in (")
            if name == column.key and listed:
                return [part.strip(" ')") for part in listed.split(",")]
    return []
