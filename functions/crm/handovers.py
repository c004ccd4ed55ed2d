"""A seller's whole portfolio passes to another person."""

from somos.mesh import Context, Invalid, Page, http
from somos.modules.crm.actions.handovers import hand_over
from somos.modules.crm.actions.owners import check_seller
from somos.modules.crm.schemas.handovers import HandoverDraft, HandoverFilter, HandoverView
from somos.modules.crm.tables.handovers import Handover


@http.get("/api/v1/handovers", allow="deal.reassign")
def handovers_list(filter: HandoverFilter, ctx: Context) -> Page[HandoverView]:
    return ctx.page(ctx.visible(Handover).where(*filter.clauses()), HandoverView)


@http.post("/api/v1/handovers", allow="deal.reassign")
def handovers_create(draft: HandoverDraft, ctx: Context) -> HandoverView:
    """Deals, companies, contacts and open tasks, in one transaction; each change is in the audit trail."""
    if draft.from_user_id == draft.to_user_id:
        raise Invalid("Escolha duas pessoas diferentes", field="to_user_id")
    check_seller(ctx, draft.to_user_id, "to_user_id")
    record = hand_over(ctx, draft)
    ctx.notify("portfolio.received", {"handover_id": str(record.id), "deals": record.deals}, to=draft.to_user_id)
    return ctx.show(record, HandoverView)
