"""Two records become one: the chosen values stay, everything that pointed at the other points at the survivor."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from somos.mesh import Context
from somos.modules.crm.rules.merges import FIELDS, chosen_values
from somos.modules.crm.schemas.merges import MergeDraft
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.company_contacts import CompanyContact
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.merges import Merge
from somos.modules.crm.tables.taggings import Tagging

TABLES: Final[dict[str, type[Company] | type[Contact]]] = {"company": Company, "contact": Contact}


def merge(ctx: Context, draft: MergeDraft, survivor: Company | Contact, absorbed: Company | Contact) -> Merge:
    """Both rows are locked by the caller. The absorbed one stays, pointing at the survivor."""
    fields = FIELDS[draft.kind]
    before = {name: getattr(absorbed, name) for name in fields}
    values = chosen_values({name: getattr(survivor, name) for name in fields}, before, draft.choices, fields)
    # The absorbed gives up its document before the survivor takes it.
    ctx.change(absorbed, merged_into_id=survivor.id)
    ctx.change(survivor, **values)
    return ctx.create(
        Merge,
        draft,
        merged_by=ctx.principal.id,
        absorbed_values={name: str(value) for name, value in before.items() if value is not None},
        moved=_repoint(ctx.db, draft.kind, survivor.id, absorbed.id),
    )


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
