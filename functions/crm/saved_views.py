"""Filters a person keeps under a name, for themselves or for everybody."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError

from somos.mesh import Context, Filter, Forbidden, Invalid, Page, http
from somos.modules.crm.schemas.companies import CompanyCriteria
from somos.modules.crm.schemas.contacts import ContactCriteria
from somos.modules.crm.schemas.deals import DealCriteria
from somos.modules.crm.schemas.saved_views import SavedViewDraft, SavedViewFilter, SavedViewPatch, SavedViewView
from somos.modules.crm.tables.saved_views import SavedView

CRITERIA: dict[str, type[Filter]] = {
    "deals": DealCriteria,
    "companies": CompanyCriteria,
    "contacts": ContactCriteria,
}


@http.get("/api/v1/saved-views", allow="crm:read")
def saved_views_list(filter: SavedViewFilter, ctx: Context) -> Page[SavedViewView]:
    """One's own, and those shared by others. What they list is still each reader's own rows."""
    return ctx.page(ctx.visible(SavedView).where(*filter.clauses()), SavedViewView)


@http.get("/api/v1/saved-views/{id}", allow="crm:read")
def saved_views_get(id: UUID, ctx: Context) -> SavedViewView:
    return ctx.show(ctx.get(SavedView, id), SavedViewView)


@http.post("/api/v1/saved-views", allow="crm:write")
def saved_views_create(draft: SavedViewDraft, ctx: Context) -> SavedViewView:
    _check(draft.view_of, draft.filters)
    _refuse_taken(ctx, draft.view_of, draft.name)
    return ctx.show(ctx.create(SavedView, draft, owner_id=ctx.principal.id), SavedViewView)


@http.patch("/api/v1/saved-views/{id}", allow="crm:write")
def saved_views_patch(id: UUID, patch: SavedViewPatch, ctx: Context) -> SavedViewView:
    view = _own(ctx, id)
    if patch.filters is not None:
        _check(view.view_of, patch.filters)
    if patch.name not in (None, view.name):
        _refuse_taken(ctx, view.view_of, patch.name)
    return ctx.show(ctx.change(view, patch), SavedViewView)


@http.delete("/api/v1/saved-views/{id}", allow="crm:write")
def saved_views_delete(id: UUID, ctx: Context) -> None:
    ctx.db.delete(_own(ctx, id))


def _own(ctx: Context, id: UUID) -> SavedView:
    if ctx.get(SavedView, id).owner_id != ctx.principal.id:
        raise Forbidden("Só quem criou a visão a altera", code="view-of-another")
    return ctx.get(SavedView, id, lock=True)


def _check(view_of: str, filters: dict[str, Any]) -> None:
    """A view that the list would refuse is refused when it is saved."""
    try:
        CRITERIA[view_of].model_validate(filters)
    except ValidationError as error:
        names = sorted({str(problem["loc"][0]) if problem["loc"] else "filters" for problem in error.errors()})
        raise Invalid(
            errors=[{"field": f"filters.{name}", "detail": "Filtro desconhecido ou inválido"} for name in names]
        ) from None


def _refuse_taken(ctx: Context, view_of: str, name: str) -> None:
    twins = ctx.visible(SavedView).where(
        SavedView.owner_id == ctx.principal.id, SavedView.view_of == view_of, SavedView.name == name
    )
    ctx.refuse_twin(twins, SavedViewView, "Você já tem uma visão com este nome", code="view-exists")
