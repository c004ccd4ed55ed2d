"""One box that finds deals, companies and people, among what the asker may see."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from somos.kernel.documents import normalise_document
from somos.kernel.emails import normalise_email
from somos.kernel.hosts import domain_of
from somos.kernel.phones import normalise_phone
from somos.kernel.text import fold
from somos.mesh import text_search
from somos.modules.crm.schemas.search import SearchHit
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deals import Deal


def search(
    db: Session,
    q: str,
    limit: int,
    deals: Select[Deal],
    companies: Select[Company],
    contacts: Select[Contact],
) -> list[SearchHit]:
    """By the words of a title or name in any order, or by a whole key: document, site, phone, e-mail."""
    found_deals = deals.where(_words(db, Deal, Deal.title_key, q)).order_by(Deal.id.desc()).limit(limit)
    company_keys = [
        (Company.document, normalise_document(q)),
        (Company.domain, domain_of(q)),
        (Company.phone, normalise_phone(q)),
        (Company.email, normalise_email(q)),
    ]
    found_companies = companies.where(
        Company.merged_into_id.is_(None), or_(_words(db, Company, Company.name_key, q), *_equal(company_keys))
    )
    contact_keys = [(Contact.phone, normalise_phone(q)), (Contact.email, normalise_email(q))]
    found_contacts = contacts.where(
        Contact.merged_into_id.is_(None), or_(_words(db, Contact, Contact.name_key, q), *_equal(contact_keys))
    )
    hits = [SearchHit(kind="deal", id=d.id, title=d.title, detail=d.state) for d in db.scalars(found_deals)]
    hits += [
        SearchHit(kind="company", id=c.id, title=c.name, detail=c.domain or c.city)
        for c in db.scalars(found_companies.order_by(Company.id.desc()).limit(limit))
    ]
    hits += [
        SearchHit(kind="contact", id=c.id, title=c.name, detail=c.title)
        for c in db.scalars(found_contacts.order_by(Contact.id.desc()).limit(limit))
    ]
    return hits


def _words(db: Session, table: type[Any], column: InstrumentedAttribute[str], q: str) -> ColumnElement[bool]:
    words = fold(q).split()
    if not words:
        return column == q  # nothing to compare: only punctuation was typed
    narrowed = text_search.among(db, table, [words])
    return and_(true() if narrowed is None else narrowed, *(text_search.holds(column, word) for word in words))


def _equal(keys: list[tuple[Any, str | None]]) -> list[ColumnElement[bool]]:
    return [column == value for column, value in keys if value]
