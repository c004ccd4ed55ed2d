"""Who is who in a company."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from somos.modules.crm.tables.company_contacts import CompanyContact


def link(db: Session, company_id: UUID, contact_id: UUID, role: str) -> None:
    """Say that a person is in a company, unless it is known in any role."""
    known = exists().where(CompanyContact.company_id == company_id, CompanyContact.contact_id == contact_id)
    if not db.scalar(select(known)):
        db.add(CompanyContact(company_id=company_id, contact_id=contact_id, role=role))
