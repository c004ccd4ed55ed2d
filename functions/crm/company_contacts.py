"""Who is who in a company: decides, pays, legal, production."""

from uuid import UUID

from somos.mesh import Conflict, Context, Invalid, Page, http
from somos.modules.crm.schemas.company_contacts import CompanyContactDraft, CompanyContactFilter, CompanyContactView
from somos.modules.crm.tables import Company, CompanyContact, Contact


@http.get("/api/v1/company-contacts", allow="crm:read")
def company_contacts_list(filter: CompanyContactFilter, ctx: Context) -> Page[CompanyContactView]:
    return ctx.page(ctx.visible(CompanyContact).where(*filter.clauses()), CompanyContactView)


@http.post("/api/v1/company-contacts", allow="crm:write")
def company_contacts_create(draft: CompanyContactDraft, ctx: Context) -> CompanyContactView:
    """A person may have several roles in a company, and be in several companies."""
    if not ctx.count(ctx.visible(Company).where(Company.id == draft.company_id)):
        raise Invalid("Não encontrado", field="company_id")
    if not ctx.count(ctx.visible(Contact).where(Contact.id == draft.contact_id)):
        raise Invalid("Não encontrado", field="contact_id")
    values = draft.model_dump()
    twin = ctx.db.scalars(ctx.visible(CompanyContact).filter_by(**values)).first()
    if twin is not None:
        fresh = CompanyContactView.model_validate(twin)
        raise Conflict("Este papel já está registrado", code="role-exists", fresh=fresh)
    link = CompanyContact(**values)
    ctx.db.add(link)
    ctx.db.flush()
    return CompanyContactView.model_validate(link)


@http.delete("/api/v1/company-contacts/{id}", allow="crm:write")
def company_contacts_delete(id: UUID, ctx: Context) -> None:
    ctx.db.delete(ctx.get(CompanyContact, id, lock=True))
