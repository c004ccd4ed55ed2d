"""Which person bears these keys."""

from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from somos.kernel.keys import PersonKeys
from somos.kernel.phones import phone_variants
from somos.modules.crm.tables.company_contacts import CompanyContact
from somos.modules.crm.tables.contacts import Contact


def find_contact(db: Session, keys: PersonKeys) -> Contact | None:
    """The live contact with this e-mail, else this phone."""
    for condition in _contact_keys(keys):
        contact = db.scalars(
            select(Contact).where(condition, Contact.merged_into_id.is_(None)).order_by(Contact.id).limit(1)
        ).first()
        if contact is not None:
            return contact
    return None


def people_of(db: Session, company_id: UUID) -> list[UUID]:
    """Everybody who is in this company, in any role."""
    people = select(CompanyContact.contact_id).where(CompanyContact.company_id == company_id)
    return list(db.scalars(people.distinct()))


def _contact_keys(keys: PersonKeys) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if keys.email:
        conditions.append(Contact.email == keys.email)
    if keys.phone:
        conditions.append(Contact.phone.in_(phone_variants(keys.phone)))
    return conditions
