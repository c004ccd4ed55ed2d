"""Companies: who hires us, or may."""

from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from somos.mesh import Conflict, Context, Page, http
from somos.modules.crm.actions.owners import check_owner, owner_of_new
from somos.modules.crm.schemas.companies import CompanyCriteria, CompanyDraft, CompanyPatch, CompanyView
from somos.modules.crm.tables import Company, Deal


@http.get("/api/v1/companies", allow="crm:read")
def companies_list(filter: CompanyCriteria, ctx: Context) -> Page[CompanyView]:
    return ctx.page(ctx.chosen(filter), CompanyView)


@http.get("/api/v1/companies/{id}", allow="crm:read")
def companies_get(id: UUID, ctx: Context) -> CompanyView:
    """Also one that was merged: `merged_into_id` says where it went."""
    return CompanyView.model_validate(ctx.get(Company, id))


@http.post("/api/v1/companies", allow="crm:write")
def companies_create(draft: CompanyDraft, ctx: Context) -> CompanyView:
    sent = draft.model_dump(exclude_unset=True)
    owner_id = owner_of_new(ctx.db, ctx.principal, sent)
    _refuse_taken(ctx, draft.document)
    company = Company(**{**draft.model_dump(), "owner_id": owner_id})
    ctx.db.add(company)
    ctx.db.flush()
    return CompanyView.model_validate(company)


@http.patch("/api/v1/companies/{id}", allow="crm:write")
def companies_patch(id: UUID, patch: CompanyPatch, ctx: Context) -> CompanyView:
    company = ctx.get(Company, id, lock=True)
    if company.merged_into_id is not None:
        raise Conflict("Esta empresa foi juntada a outra", code="merged")
    changes: dict[str, Any] = patch.model_dump(exclude_unset=True)
    check_owner(ctx.db, ctx.principal, changes, company.owner_id)
    if changes.get("document") != company.document:
        _refuse_taken(ctx, changes.get("document"))
    for name, value in changes.items():
        setattr(company, name, value)
    ctx.db.flush()
    return CompanyView.model_validate(company)


@http.delete("/api/v1/companies/{id}", allow="crm:write")
def companies_delete(id: UUID, ctx: Context) -> None:
    company = ctx.get(Company, id, lock=True)
    with ctx.as_system() as db:  # deals of others count too
        in_use = db.scalar(select(exists().where(Deal.company_id == id)))
    if in_use:
        raise Conflict("A empresa tem negócios; junte-a a outra em vez de apagar", code="company-in-use")
    ctx.db.delete(company)


def _refuse_taken(ctx: Context, document: str | None) -> None:
    """One live company per CNPJ or CPF. Of somebody else's no more is told than that it exists."""
    if document is None:
        return
    same = (Company.document == document, Company.merged_into_id.is_(None))
    mine = ctx.db.scalars(ctx.visible(Company).where(*same)).first()
    if mine is not None:
        fresh = CompanyView.model_validate(mine)
        raise Conflict("Já existe uma empresa com este CNPJ ou CPF", code="company-exists", fresh=fresh)
    with ctx.as_system() as db:
        elsewhere = db.scalar(select(exists().where(*same)))
    if elsewhere:
        raise Conflict("Este CNPJ ou CPF já está em outra carteira; fale com a direção", code="company-elsewhere")
