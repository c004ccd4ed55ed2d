"""Two records become one: the chosen values stay, everything that pointed at the other points at the survivor."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from somos.modules.crm.rules.merges import Side, chosen_values
from somos.modules.crm.tables import Company, CompanyContact, Contact, Deal, Merge, Tagging

FIELDS: Final = {
    "company": (
        "name", "legal_name", "document", "domain", "phone", "email", "city", "uf", "segment", "notes", "owner_id",
    ),
    "contact": ("name", "title", "email", "phone", "notes", "owner_id"),
}  # fmt: skip
TABLES: Final[dict[str, type[Company] | type[Contact]]] = {"company": Company, "contact": Contact}


def merge(
    db: Session,
    kind: str,
    survivor: Company | Contact,
    absorbed: Company | Contact,
    choices: Mapping[str, Side],
    merged_by: UUID,
) -> Merge:
    """Both rows are locked by the caller. The absorbed one stays, pointing at the survivor."""
    fields = FIELDS[kind]
    before = {name: getattr(absorbed, name) for name in fields}
    values = chosen_values({name: getattr(survivor, name) for name in fields}, before, choices, fields)
    absorbed.merged_into_id = survivor.id
    db.flush()  # the absorbed gives up its document before the survivor takes it
    for name, value in values.items():
        setattr(survivor, name, value)
    moved = _repoint(db, kind, survivor.id, absorbed.id)
    record = Merge(
        kind=kind,
        survivor_id=survivor.id,
        absorbed_id=absorbed.id,
        merged_by=merged_by,
        choices=dict(choices),
        absorbed_values={name: str(value) for name, value in before.items() if value is not None},
        moved=moved,
    )
    db.add(record)
    db.flush()
    return record


def _repoint(db: Session, kind: str, to: UUID, from_: UUID) -> dict[str, int]:
    column = f"{kind}_id"
    deal_column = getattr(Deal, column)
    deals = db.scalar(select(func.count()).where(deal_column == from_)) or 0
    db.execute(update(Deal).where(deal_column == from_).values({column: to, "version": Deal.version + 1}))
    table = TABLES[kind]
    db.execute(update(table).where(table.merged_into_id == from_).values(merged_into_id=to))
    return {
        "deals": deals,
        "links": _move_unique(db, CompanyContact, column, to, from_, beside=_other_link(kind)),
        "tags": _move_unique(db, Tagging, column, to, from_, beside=("tag_id",)),
    }


def _other_link(kind: str) -> tuple[str, ...]:
    return ("contact_id", "role") if kind == "company" else ("company_id", "role")


def _move_unique(db: Session, table: type[Any], column: str, to: UUID, from_: UUID, beside: tuple[str, ...]) -> int:
    """Move rows, dropping those the survivor already has."""
    mine = aliased(table)
    same = and_(*(getattr(mine, name) == getattr(table, name) for name in beside))
    twice = exists(select(1).where(getattr(mine, column) == to, same))
    db.execute(delete(table).where(getattr(table, column) == from_, twice))
    moved = db.scalar(select(func.count()).where(getattr(table, column) == from_))
    db.execute(update(table).where(getattr(table, column) == from_).values({column: to}))
    return moved or 0
