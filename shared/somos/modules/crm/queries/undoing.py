"""Takes an import back: what it made goes, unless somebody worked with it since."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, or_, select, tuple_
from sqlalchemy.orm import Session

from somos.modules.crm.tables import (
    Company,
    CompanyContact,
    Contact,
    Deal,
    DealActivity,
    DealStageHistory,
    ImportRow,
    PrivateNote,
    Tagging,
)


def undo(db: Session, rows: Sequence[ImportRow]) -> None:
    """Asked with the system's rights, because the work of others on a record counts too."""
    links = [(row.company_id, row.contact_id) for row in rows if row.made.get("link")]
    gone_deals = _remove(db, Deal, _made(rows, "deal"), _deal_touched())
    gone_contacts = _remove(db, Contact, _made(rows, "contact"), _contact_touched())
    gone_companies = _remove(db, Company, _made(rows, "company"), _company_touched(links))
    _unlink(db, rows)
    gone = {"deal": gone_deals, "contact": gone_contacts, "company": gone_companies}
    names = {"deal": "o negócio", "contact": "o contato", "company": "a empresa"}
    for row in rows:
        kept = [names[kind] for kind in names if row.made.get(kind) and getattr(row, f"{kind}_id") not in gone[kind]]
        row.state = "kept" if kept else "undone"
        row.problems = [f"Ficou {' e '.join(kept)}: houve alterações depois da importação."] if kept else []


def _made(rows: Sequence[ImportRow], kind: str) -> list[UUID]:
    return [getattr(row, f"{kind}_id") for row in rows if row.made.get(kind)]


def _remove(db: Session, table: Any, ids: list[UUID], touched: ColumnElement[bool]) -> set[UUID]:
    free = select(table.id).where(table.id.in_(ids), table.version == 1, ~touched).with_for_update()
    gone = set(db.scalars(free))
    db.execute(delete(table).where(table.id.in_(gone)))
    return gone


def _deal_touched() -> ColumnElement[bool]:
    return or_(
        exists(select(1).where(DealActivity.deal_id == Deal.id)),
        exists(select(1).where(PrivateNote.deal_id == Deal.id)),
        exists(select(1).where(DealStageHistory.deal_id == Deal.id, DealStageHistory.step > 1)),
        exists(select(1).where(Tagging.deal_id == Deal.id)),
    )


def _contact_touched() -> ColumnElement[bool]:
    return or_(
        exists(select(1).where(Deal.contact_id == Contact.id)),
        exists(select(1).where(Tagging.contact_id == Contact.id)),
    )


def _company_touched(own_links: list[tuple[UUID | None, UUID | None]]) -> ColumnElement[bool]:
    link = tuple_(CompanyContact.company_id, CompanyContact.contact_id)
    return or_(
        exists(select(1).where(Deal.company_id == Company.id)),
        exists(select(1).where(CompanyContact.company_id == Company.id, link.not_in(own_links))),
        exists(select(1).where(Tagging.company_id == Company.id)),
    )


def _unlink(db: Session, rows: Sequence[ImportRow]) -> None:
    """Where the import only introduced a known person to a known company."""
    for row in rows:
        if row.made.get("link") and not row.made.keys() & {"company", "contact"}:
            introduced = (CompanyContact.company_id == row.company_id, CompanyContact.contact_id == row.contact_id)
            db.execute(delete(CompanyContact).where(*introduced, CompanyContact.role == "contato"))
