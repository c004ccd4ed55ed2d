"""Leads: what is known of each, where from, what it is worth and why; and what a person corrects."""

from uuid import UUID

from somos.mesh import Conflict, Context, Invalid, Page, http
from somos.modules.auth import queries as auth
from somos.modules.hunter.actions import leads
from somos.modules.hunter.queries.lead_details import detail
from somos.modules.hunter.schemas.leads import LeadChange, LeadDetail, LeadFilter, LeadView
from somos.modules.hunter.tables.leads import Lead


@http.get("/api/v1/leads", allow="hunter:read")
def leads_list(filter: LeadFilter, ctx: Context) -> Page[LeadView]:
    return ctx.page(ctx.chosen(filter), LeadView)


@http.get("/api/v1/leads/{id}", allow="hunter:read")
def leads_get(id: UUID, ctx: Context) -> LeadDetail:
    """With the provenance of every value, the score criterion by criterion, and the LGPD card."""
    return detail(ctx.db, ctx.get(Lead, id))


@http.patch("/api/v1/leads/{id}", allow="hunter:write")
def leads_correct(id: UUID, change: LeadChange, ctx: Context) -> LeadDetail:
    """What a person knows better; the other sources' values stay beside it."""
    lead = ctx.get(Lead, id, lock=True)
    if lead.state in ("duplicate", "blocked", "erased"):
        raise Conflict("Este lead não pode mais ser alterado.", code="lead-state")
    values = change.model_dump(exclude_none=True)
    owner_id = values.pop("owner_id", None)
    if owner_id is not None:
        owner = auth.user_card(ctx.db, owner_id)
        if owner is None or not owner.active:
            raise Invalid("Não há uma conta ativa com este identificador", field="owner_id")
        lead.owner_id = owner_id
    leads.correct(ctx.db, lead, values, ctx.settings.suppression_key, ctx.now)
    return detail(ctx.db, lead)
