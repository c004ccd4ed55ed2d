"""Who is who in a company: decides, pays, legal, production."""

from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.crm.actions import parties
from somos.modules.crm.schemas.company_contacts import CompanyContactDraft, CompanyContactFilter, CompanyContactView
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.company_contacts import CompanyContact
from somos.modules.crm.tables.contacts import Contact


@http.get("/api/v1/company-contacts", allow="crm:read")
def company_contacts_list(filter: CompanyContactFilter, ctx: Context) -> Page[CompanyContactView]:
    return ctx.page(ctx.visible(CompanyContact).where(*filter.clauses()), CompanyContactView)


@http.post("/api/v1/company-contacts", allow="crm:write")
def company_contacts_create(draft: CompanyContactDraft, ctx: Context) -> CompanyContactView:
    """A person may have several roles in a company, and be in several companies."""
    ctx.linked(Company, draft.company_id, "company_id")
    ctx.linked(Contact, draft.contact_id, "contact_id")
    twins = ctx.visible(CompanyContact).filter_by(**draft.model_dump())
    ctx.refuse_twin(twins, CompanyContactView, "Este papel já está registrado", code="role-exists")
    link = ctx.create(CompanyContact, draft)
    parties.restate(ctx, link.contact_id)
    return ctx.show(link, CompanyContactView)


@http.delete("/api/v1/company-contacts/{id}", allow="crm:write")
def company_contacts_delete(id: UUID, ctx: Context) -> None:
    link = ctx.get(CompanyContact, id, lock=True)
    ctx.db.delete(link)
    parties.restate(ctx, link.contact_id)
