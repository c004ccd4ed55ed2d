"""A spreadsheet on its way in: what each line would do, doing it, and taking it back."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, or_, select, text, tuple_
from sqlalchemy.orm import Session

from somos.events.sdr import AddressKind
from somos.mesh import clock
from somos.mesh.ids import uuid7
from somos.modules.crm.actions import deal_stage_history as history
from somos.modules.crm.actions.deals import Opening, new_deal
from somos.modules.crm.queries.imports import Book
from somos.modules.crm.rules.imports import Draft, draft_of, forbidden_people
from somos.modules.crm.tables import (
    Company,
    CompanyContact,
    Contact,
    Deal,
    DealActivity,
    DealStage,
    DealStageHistory,
    ImportRow,
    PrivateNote,
    Tagging,
)

FORBIDDEN = "A planilha diz para não contatar esta pessoa."


def assess(row: ImportRow, mapping: dict[str, str], book: Book) -> Draft | None:
    """Say on the row what it would do; the draft when there is something to do."""
    draft, problems = draft_of(row.cells, mapping)
    row.company_id = row.contact_id = None
    if draft is not None:
        row.company_id = book.company(draft)
        if row.company_id is not None and draft.document is not None:
            book.documents.setdefault(row.company_id, draft.document)  # a later line of another document is not it
        row.contact_id = book.contact(draft, row.company_id) if draft.contact_name else None
        if row.company_id is None and draft.document in book.elsewhere:
            problems.append("Este CNPJ ou CPF já está em outra carteira.")
        if book.suppressed.intersection(draft.people):
            problems.append("Esta pessoa pediu para não ser contatada.")
    row.problems = [*row.unreadable, *problems]
    if draft is None or row.problems:
        row.state = "invalid"
        return None
    if draft.forbidden:
        row.problems = [FORBIDDEN]
    is_new = row.company_id is None or (draft.contact_name and row.contact_id is None) or draft.deal_title
    row.state = "ready" if is_new else "duplicate"
    return draft if is_new else None


def forbidden_keys(
    rows: Iterable[ImportRow], mapping: dict[str, str], secret: str
) -> Iterator[tuple[int, dict[str, AddressKind]]]:
    """(line, keyed hashes by kind) of everybody whom the file says never to contact, whatever came of their lines."""
    for row in rows:
        keys: dict[str, AddressKind] = {}
        for person in forbidden_people(row.cells, mapping):
            keys |= dict.fromkeys(person.hashes(secret), "phone" if person.phone else "email")
        if keys:
            yield row.line, keys


def apply(
    db: Session,
    rows: Sequence[ImportRow],
    mapping: dict[str, str],
    book: Book,
    stage: DealStage,
    owner_id: UUID,
    now: datetime,
) -> list[Deal]:
    """Make what the ready lines say, layer by layer so that thousands of lines are a few statements."""
    companies: list[Company] = []
    contacts: list[Contact] = []
    links: set[tuple[UUID, UUID]] = set()
    deals: list[Deal] = []
    for row in rows:
        draft = assess(row, mapping, book)
        if draft is None:
            continue
        made: dict[str, Any] = {}
        if row.company_id is None:
            company = _company(draft, owner_id)
            companies.append(company)
            row.company_id, made["company"] = company.id, True
        if draft.contact_name and row.contact_id is None:
            contact = _contact(draft, owner_id)
            contacts.append(contact)
            row.contact_id, made["contact"] = contact.id, True
        if row.contact_id is not None:
            links.add((row.company_id, row.contact_id))
        if draft.deal_title:
            deal = new_deal(_opening(draft, row, stage, owner_id), now)
            deals.append(deal)
            row.deal_id, made["deal"] = deal.id, True
        book.learn(draft, row.company_id, row.contact_id)
        row.state, row.made = "imported", made
    db.add_all([*companies, *contacts])
    db.flush()
    made_links = _new_links(db, links)
    db.add_all([*made_links, *deals])
    db.flush()
    linked = {(link.company_id, link.contact_id) for link in made_links}
    for row in rows:
        if (row.company_id, row.contact_id) in linked and row.state == "imported":
            row.made = {**row.made, "link": True}
    db.add_all(history.first_span(deal) for deal in deals)
    db.flush()
    save(db, rows)
    return deals


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


_SAVE = text("""
update crm.import_rows as line
set state = told.state, problems = told.problems, company_id = told.company_id, contact_id = told.contact_id,
    deal_id = told.deal_id, made = told.made, updated_at = :now
from jsonb_to_recordset(cast(:rows as jsonb)) as told
    (id uuid, state text, problems jsonb, company_id uuid, contact_id uuid, deal_id uuid, made jsonb)
where line.id = told.id
""")


def save(db: Session, rows: Sequence[ImportRow]) -> None:
    """One statement for thousands of lines."""
    names = ("id", "state", "problems", "company_id", "contact_id", "deal_id", "made")
    told = [{name: getattr(row, name) for name in names} for row in rows]
    db.execute(_SAVE, {"rows": json.dumps(told, default=str), "now": clock.now()})


def _new_links(db: Session, wanted: set[tuple[UUID, UUID]]) -> list[CompanyContact]:
    pair = tuple_(CompanyContact.company_id, CompanyContact.contact_id)
    linked = select(CompanyContact.company_id, CompanyContact.contact_id).where(pair.in_(list(wanted)))
    known = {(company, contact) for company, contact in db.execute(linked)}
    return [
        CompanyContact(company_id=company, contact_id=contact, role="contato")
        for company, contact in sorted(wanted - known)
    ]


def _company(draft: Draft, owner_id: UUID) -> Company:
    return Company(
        id=uuid7(),
        name=draft.company_name,
        document=draft.document,
        domain=draft.domain,
        phone=draft.phone,
        email=draft.email,
        city=draft.city,
        uf=draft.uf,
        segment=draft.segment,
        notes=_others(draft.phones, draft.emails),
        owner_id=owner_id,
    )


def _contact(draft: Draft, owner_id: UUID) -> Contact:
    return Contact(
        id=uuid7(),
        name=draft.contact_name or draft.company_name,
        title=draft.contact_title,
        email=draft.contact_email,
        phone=draft.contact_phone,
        notes=_others(draft.contact_phones, draft.contact_emails),
        owner_id=owner_id,
    )


def _others(phones: Sequence[str], emails: Sequence[str]) -> str | None:
    """The further numbers and addresses of a cell, for which a record has no column."""
    others = [*phones[1:], *emails[1:]]
    return f"Também: {', '.join(others)}" if others else None


def _opening(draft: Draft, row: ImportRow, stage: DealStage, owner_id: UUID) -> Opening:
    return Opening(
        title=draft.deal_title or draft.company_name,
        stage=stage,
        owner_id=owner_id,
        company_id=row.company_id,
        contact_id=row.contact_id,
        value_cents=draft.deal_value_cents,
        expected_close_date=draft.expected_close_date,
        origin="import",
    )


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
