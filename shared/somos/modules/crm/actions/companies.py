"""Companies that accepted leads bring."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from somos.kernel.keys import CompanyKeys
from somos.mesh import Context
from somos.modules.crm.queries.companies import find_company
from somos.modules.crm.tables.companies import Company

if TYPE_CHECKING:
    from somos.modules.hunter.queries.leads import LeadCard


def company_of(ctx: Context, lead: "LeadCard", owner_id: UUID) -> Company:
    """The lead's company, new when none bears its keys, with what the lead knows and it lacked."""
    keys = CompanyKeys(cnpj=lead.cnpj, domain=lead.domain, phone=lead.phone, email=lead.email)
    company = find_company(ctx.db, keys)
    if company is None:
        company = ctx.create(Company, name=name_of(lead), owner_id=owner_id)
    known = {
        "document": lead.cnpj,
        "domain": lead.domain,
        "phone": lead.phone,
        "email": lead.email,
        "city": lead.city,
        "uf": lead.uf,
    }
    # What a person wrote stays.
    blanks: dict[str, Any] = {name: value for name, value in known.items() if value and getattr(company, name) is None}
    return ctx.change(company, **blanks)


def name_of(lead: "LeadCard") -> str:
    return lead.company_name or lead.domain or "Empresa sem nome"
