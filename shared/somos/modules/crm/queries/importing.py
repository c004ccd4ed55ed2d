"""A spreadsheet on its way in: what each line would do, doing it, and taking it back."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select, text, tuple_
from sqlalchemy.orm import Session

from somos.events.sdr import AddressKind
from somos.kernel.keys import PersonKeys
from somos.kernel.text import fold
from somos.mesh import clock
from somos.mesh.ids import uuid7
from somos.modules.crm.queries import history
from somos.modules.crm.queries.opening import Opening, new_deal
from somos.modules.crm.rules.duplicates import may_be_one
from somos.modules.crm.rules.imports import Draft, Key, draft_of, forbidden_people, name_key
from somos.modules.crm.tables import Company, CompanyContact, Contact, Deal, DealStage, Import, ImportRow
from somos.modules.sdr.queries import suppressed_among

FORBIDDEN = "A planilha diz para não contatar esta pessoa."


@dataclass
class Book:
    """Who is known, by key; grows while a file is read, so that its lines find each other."""

    companies: dict[Key, list[UUID]] = field(default_factory=dict)
    documents: dict[UUID, str] = field(default_factory=dict)  # of these companies
    contacts: dict[Key, UUID] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    suppressed: set[PersonKeys] = field(default_factory=set)

    def company(self, draft: Draft) -> UUID | None:
        """The company of a draft: never one of another document."""
        keys = draft.company_keys or [draft.twin_key]
        found = (id for key in keys for id in self.companies.get(key, ()))
        return next((id for id in found if may_be_one(draft.document, self.documents.get(id))), None)

    def contact(self, draft: Draft, company_id: UUID | None) -> UUID | None:
        keys = draft.contact_keys or [_colleague(company_id, draft.contact_name)]
        return next((self.contacts[key] for key in keys if key in self.contacts), None)

    def learn(self, draft: Draft, company_id: UUID, contact_id: UUID | None) -> None:
        self.learn_company([*draft.company_keys, draft.twin_key], company_id, draft.document)
        if contact_id is not None:
            for key in [*draft.contact_keys, _colleague(company_id, draft.contact_name)]:
                self.contacts.setdefault(key, contact_id)

    def learn_company(self, keys: Iterable[Key], company_id: UUID, document: str | None) -> None:
        if document is not None:
            self.documents.setdefault(company_id, document)
        for key in keys:
            known = self.companies.setdefault(key, [])
            if company_id not in known:
                known.append(company_id)


def book_of(db: Session, drafts: Iterable[Draft], companies: Select[Company], contacts: Select[Contact]) -> Book:
    """What the asker already has of these drafts, in a few queries however many they are."""
    book = Book()
    live, people = companies.where(Company.merged_into_id.is_(None)), contacts.where(Contact.merged_into_id.is_(None))
    company_keys = {key for draft in drafts for key in draft.company_keys}
    contact_keys = {key for draft in drafts for key in draft.contact_keys}
    nameless = {("name_key", fold(draft.company_name)) for draft in drafts if not draft.company_keys}
    for company in _having(db, live, Company, company_keys | nameless):
        names = ("document", "domain", "phone", "email")
        keys = [name_key(company.name, company.city), *((name, getattr(company, name)) for name in names)]
        book.learn_company(keys, company.id, company.document)
    for contact in _having(db, people, Contact, contact_keys):
        for name in ("email", "phone"):
            book.contacts.setdefault((name, getattr(contact, name)), contact.id)
    colleagues = people.join(CompanyContact, CompanyContact.contact_id == Contact.id).with_only_columns(
        CompanyContact.company_id, Contact.id, Contact.name
    )
    found = {id for ids in book.companies.values() for id in ids}
    for company_id, contact_id, name in db.execute(colleagues.where(CompanyContact.company_id.in_(found))):
        book.contacts.setdefault(_colleague(company_id, name), contact_id)
    book.suppressed = suppressed_among(db, (person for draft in drafts for person in draft.people))
    return book


def taken_documents(db: Session, drafts: Iterable[Draft]) -> set[str]:
    """Of these documents, those that any portfolio holds; asked with the system's rights."""
    documents = {draft.document for draft in drafts if draft.document}
    held = select(Company.document).where(Company.document.in_(documents), Company.merged_into_id.is_(None))
    return {document for document in db.scalars(held) if document}


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


def counts(db: Session, import_id: UUID) -> dict[str, int]:
    """How many lines stand where."""
    rows = select(ImportRow.state, func.count()).where(ImportRow.import_id == import_id).group_by(ImportRow.state)
    return dict(db.execute(rows).all())


def rows_of(db: Session, wanted: Import, *states: str) -> list[ImportRow]:
    """Lines in the order of the file. They are detached: `save` writes what becomes of them, all at once."""
    rows = select(ImportRow).where(ImportRow.import_id == wanted.id).order_by(ImportRow.line)
    found = list(db.scalars(rows.where(ImportRow.state.in_(states)) if states else rows))
    for row in found:
        db.expunge(row)
    return found


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


def _having(db: Session, rows: Select[Any], table: type[Any], keys: set[Key]) -> Iterable[Any]:
    by_kind: dict[str, list[str]] = {}
    for kind, value in keys:
        by_kind.setdefault(kind, []).append(value)
    if not by_kind:
        return []
    conditions = [getattr(table, kind).in_(values) for kind, values in by_kind.items()]
    return db.scalars(rows.where(or_(*conditions)).order_by(table.id))


def _colleague(company_id: UUID | None, name: str | None) -> Key:
    """By what a person without phone and e-mail is known: the name, in that company."""
    return ("colleague", f"{company_id}|{fold(name or '')}")


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
