"""Companies: who hires us, or may."""

from uuid import UUID

from sqlalchemy import exists, select

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Page, http
from somos.modules.crm.actions import parties
from somos.modules.crm.actions.owners import check_owner, owner_of
from somos.modules.crm.queries.companies import is_elsewhere, live_with
from somos.modules.crm.queries.timeline import timeline_of_company
from somos.modules.crm.schemas.companies import CompanyCriteria, CompanyDraft, CompanyPatch, CompanyView
from somos.modules.crm.schemas.timeline import TimelineFilter, TimelineItem
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.deals import Deal


@http.get("/api/v1/companies", allow="crm:read")
def companies_list(filter: CompanyCriteria, ctx: Context) -> Page[CompanyView]:
    return ctx.page(ctx.chosen(filter), CompanyView)


@http.get("/api/v1/companies/{id}", allow="crm:read")
def companies_get(id: UUID, ctx: Context) -> CompanyView:
    """Also one that was merged: `merged_into_id` says where it went."""
    return ctx.show(ctx.get(Company, id), CompanyView)


@http.post("/api/v1/companies", allow="crm:write")
def companies_create(draft: CompanyDraft, ctx: Context) -> CompanyView:
    owner_id = owner_of(ctx, draft)
    _refuse_taken(ctx, draft.document)
    company = ctx.create(Company, draft, owner_id=owner_id)
    parties.restate(ctx, company.id)
    return ctx.show(company, CompanyView)


@http.patch("/api/v1/companies/{id}", allow="crm:write")
def companies_patch(id: UUID, patch: CompanyPatch, ctx: Context) -> CompanyView:
    company = ctx.get(Company, id, lock=True)
    if company.merged_into_id is not None:
        raise NotAllowed("Esta empresa foi juntada a outra", code="merged")
    check_owner(ctx, patch, company.owner_id)
    if patch.document != company.document:
        _refuse_taken(ctx, patch.document)
    ctx.change(company, patch)
    parties.restate(ctx, id)
    return ctx.show(company, CompanyView)


@http.delete("/api/v1/companies/{id}", allow="crm:write")
def companies_delete(id: UUID, ctx: Context) -> None:
    company = ctx.get(Company, id, lock=True)
    with ctx.as_system() as db:  # deals of others count too
        in_use = db.scalar(select(exists().where(Deal.company_id == id)))
    if in_use:
        raise NotAllowed("A empresa tem negócios; junte-a a outra em vez de apagar", code="company-in-use")
    ctx.db.delete(company)
    parties.restate(ctx, id, company.merged_into_id)


@http.get("/api/v1/companies/{id}/timeline", allow="crm:read")
def companies_timeline(id: UUID, filter: TimelineFilter, ctx: Context) -> Page[TimelineItem]:
    """With what happened in the company's deals that the asker may see, and no others."""
    return timeline_of_company(ctx, ctx.get(Company, id), filter)


def _refuse_taken(ctx: Context, document: str | None) -> None:
    """One live company per CNPJ or CPF. Of somebody else's no more is told than that it exists."""
    if document is None:
        return
    twins = ctx.visible(Company).where(*live_with(document))
    ctx.refuse_twin(twins, CompanyView, "Já existe uma empresa com este CNPJ ou CPF", code="company-exists")
    if is_elsewhere(ctx, document):
        raise NotAllowed("Este CNPJ ou CPF já está em outra carteira; fale com a direção", code="company-elsewhere")
