"""Companies that accepted leads bring."""

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from somos.kernel.keys import CompanyKeys
from somos.mesh.ids import uuid7
from somos.modules.crm.queries.companies import find_company
from somos.modules.crm.tables import Company

if TYPE_CHECKING:
    from somos.modules.hunter.queries.leads import LeadCard


def company_of(db: Session, lead: "LeadCard", owner_id: UUID) -> Company:
    """The lead's company, new when none bears its keys, with what the lead knows and it lacked."""
    keys = CompanyKeys(cnpj=lead.cnpj, domain=lead.domain, phone=lead.phone, email=lead.email)
    company = find_company(db, keys)
    if company is None:
        company = Company(id=uuid7(), name=name_of(lead), owner_id=owner_id)
        db.add(company)
    _fill_blanks(company, lead)
    db.flush()
    return company


def name_of(lead: "LeadCard") -> str:
    return lead.company_name or lead.domain or "Empresa sem nome"


def _fill_blanks(company: Company, lead: "LeadCard") -> None:
    """What the lead knows and the company lacked; what a person wrote stays."""
    known = {
        "document": lead.cnpj,
        "domain": lead.domain,
        "phone": lead.phone,
        "email": lead.email,
        "city": lead.city,
        "uf": lead.uf,
    }
    for name, value in known.items():
        if value and getattr(company, name) is None:
            setattr(company, name, value)
