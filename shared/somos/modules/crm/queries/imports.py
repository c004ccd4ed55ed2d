"""What is known of the people in a spreadsheet, and where its lines stand."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from somos.kernel.keys import PersonKeys
from somos.kernel.text import fold
from somos.modules.crm.rules.duplicates import may_be_one
from somos.modules.crm.rules.imports import Draft, Key, name_key
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.company_contacts import CompanyContact
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.imports import Import, ImportRow
from somos.modules.relations.queries.addresses import suppressed_among


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
        candidates = (id for key in keys for id in self.companies.get(key, ()))
        return next((id for id in candidates if may_be_one(draft.document, self.documents.get(id))), None)

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
    companies_known = {id for ids in book.companies.values() for id in ids}
    for company_id, contact_id, name in db.execute(colleagues.where(CompanyContact.company_id.in_(companies_known))):
        book.contacts.setdefault(_colleague(company_id, name), contact_id)
    book.suppressed = suppressed_among(db, (person for draft in drafts for person in draft.people))
    return book


def taken_documents(db: Session, drafts: Iterable[Draft]) -> set[str]:
    """Of these documents, those that any portfolio holds; asked with the system's rights."""
    documents = {draft.document for draft in drafts if draft.document}
    taken = select(Company.document).where(Company.document.in_(documents), Company.merged_into_id.is_(None))
    return {document for document in db.scalars(taken) if document}


def counts(db: Session, import_id: UUID) -> dict[str, int]:
    """How many lines stand where."""
    rows = select(ImportRow.state, func.count()).where(ImportRow.import_id == import_id).group_by(ImportRow.state)
    return dict(db.execute(rows).all())


def rows_of(db: Session, record: Import, *states: str) -> list[ImportRow]:
    """Lines in the order of the file. They are detached: `save` writes what becomes of them, all at once."""
    rows = select(ImportRow).where(ImportRow.import_id == record.id).order_by(ImportRow.line)
    lines = list(db.scalars(rows.where(ImportRow.state.in_(states)) if states else rows))
    for row in lines:
        db.expunge(row)
    return lines


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
