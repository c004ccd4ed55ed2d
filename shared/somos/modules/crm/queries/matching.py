"""Who is this company or person to us already? Found by exact keys, in the order of how surely they identify."""

from collections.abc import Iterable
from typing import Literal

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from somos.kernel.keys import CompanyKeys, PersonKeys
from somos.kernel.phones import phone_variants
from somos.modules.crm.tables import Company, CompanyContact, Contact, Deal

Relationship = Literal["client", "open_deal"]


def relationship(db: Session, keys: CompanyKeys) -> Relationship | None:
    """Whether the bearer of any of these keys has bought from us, or is talking to us now."""
    of_company = [column == value for column, value in _company_keys(keys)]
    of_person = _contact_keys(PersonKeys(phone=keys.phone, email=keys.email))
    conditions: list[ColumnElement[bool]] = []
    if of_company:
        companies = select(func.coalesce(Company.merged_into_id, Company.id)).where(or_(*of_company))
        conditions.append(Deal.company_id.in_(companies))
    if of_person:
        people = select(func.coalesce(Contact.merged_into_id, Contact.id)).where(or_(*of_person))
        conditions.append(Deal.contact_id.in_(people))
        employers = select(CompanyContact.company_id).where(CompanyContact.contact_id.in_(people))
        conditions.append(Deal.company_id.in_(employers))
    if not conditions:
        return None
    states = set(db.scalars(select(Deal.state).where(or_(*conditions), Deal.state != "lost").distinct()))
    if "won" in states:
        return "client"
    return "open_deal" if "open" in states else None


def find_company(db: Session, keys: CompanyKeys) -> Company | None:
    """The live company with these keys: by document, else domain, else phone, else e-mail.

    Never one of another CNPJ.
    """
    live = select(Company).where(Company.merged_into_id.is_(None)).order_by(Company.id).limit(1)
    if keys.cnpj:
        live = live.where(or_(Company.document.is_(None), Company.document == keys.cnpj))
    for column, value in _company_keys(keys):
        found = db.scalars(live.where(column == value)).first()
        if found is not None:
            return found
    return None


def find_contact(db: Session, keys: PersonKeys) -> Contact | None:
    """The live contact with this e-mail, else this phone."""
    for condition in _contact_keys(keys):
        found = db.scalars(
            select(Contact).where(condition, Contact.merged_into_id.is_(None)).order_by(Contact.id).limit(1)
        ).first()
        if found is not None:
            return found
    return None


def lock_keys(db: Session, values: Iterable[object]) -> None:
    """Until the transaction ends, nobody else opens anything for these keys. Sorted, so two never deadlock."""
    for value in sorted({f"crm:{value}" for value in values if value}):
        db.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": value})


def _company_keys(keys: CompanyKeys) -> list[tuple[InstrumentedAttribute[str | None], str]]:
    pairs = [
        (Company.document, keys.cnpj),
        (Company.domain, keys.domain),
        (Company.phone, keys.phone),
        (Company.email, keys.email),
    ]
    return [(column, value) for column, value in pairs if value]


def _contact_keys(keys: PersonKeys) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if keys.email:
        conditions.append(Contact.email == keys.email)
    if keys.phone:
        conditions.append(Contact.phone.in_(phone_variants(keys.phone)))
    return conditions
