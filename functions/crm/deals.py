"""Deals of the sales pipeline."""

from typing import Any
from uuid import UUID

from somos.events.crm import DealOpened
from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Invalid, Page, http
from somos.modules.crm.actions.deals import Opening, facts_of, open_deal
from somos.modules.crm.actions.owners import check_owner, owner_of_new
from somos.modules.crm.queries.deal_stages import NoPipeline, first_stage
from somos.modules.crm.rules import deals as rules
from somos.modules.crm.schemas.deals import DealCriteria, DealDraft, DealPatch, DealView
from somos.modules.crm.tables import Company, Contact, Deal, DealStage


@http.get("/api/v1/deals", allow="crm:read")
def deals_list(filter: DealCriteria, ctx: Context) -> Page[DealView]:
    return ctx.page(ctx.chosen(filter), DealView)


@http.get("/api/v1/deals/{id}", allow="crm:read")
def deals_get(id: UUID, ctx: Context) -> DealView:
    return DealView.model_validate(ctx.get(Deal, id))


@http.post("/api/v1/deals", allow="crm:write")
def deals_create(draft: DealDraft, ctx: Context) -> DealView:
    sent = draft.model_dump(exclude_unset=True)
    _check_links(ctx, sent)
    opening = Opening(
        title=draft.title,
        stage=_stage(ctx, draft),
        owner_id=owner_of_new(ctx.db, ctx.principal, sent),
        company_id=draft.company_id,
        contact_id=draft.contact_id,
        value_cents=draft.value_cents,
        expected_close_date=draft.expected_close_date,
    )
    deal = open_deal(ctx.db, opening, ctx.now)
    ctx.emit(DealOpened(deal_id=deal.id, owner_id=deal.owner_id))
    return DealView.model_validate(deal)


@http.patch("/api/v1/deals/{id}", allow="crm:write")
def deals_patch(id: UUID, patch: DealPatch, ctx: Context) -> DealView:
    deal = ctx.get(Deal, id, lock=True)
    changes = patch.model_dump(exclude_unset=True)
    if deal.state != "open" and changes:
        raise NotAllowed("O negócio está encerrado; reabra antes de alterar", code="deal-closed")
    check_owner(ctx.db, ctx.principal, changes, deal.owner_id)
    _check_links(ctx, changes)
    return ctx.show(ctx.change(deal, patch), DealView)


@http.delete("/api/v1/deals/{id}", allow="crm:write")
def deals_delete(id: UUID, ctx: Context) -> None:
    deal = ctx.get(Deal, id, lock=True)
    if refusal := rules.refuse_delete(facts_of(deal)):
        raise NotAllowed(refusal.reason, refusal.code)
    ctx.db.delete(deal)


def _stage(ctx: Context, draft: DealDraft) -> DealStage:
    if draft.stage_id is None:
        try:
            return first_stage(ctx.db, draft.pipeline_id)
        except NoPipeline:
            raise Invalid("Não há funil ativo com etapas", field="pipeline_id") from None
    stage = ctx.get(DealStage, draft.stage_id)
    if draft.pipeline_id not in (None, stage.pipeline_id):
        raise Invalid("Esta etapa pertence a outro funil", field="stage_id")
    return stage


def _check_links(ctx: Context, sent: dict[str, Any]) -> None:
    """A deal is about a company and a person that its author can see."""
    for field, table in (("company_id", Company), ("contact_id", Contact)):
        id = sent.get(field)
        if id is not None and not ctx.count(ctx.visible(table).where(table.id == id)):
            raise Invalid("Não encontrado", field=field)
