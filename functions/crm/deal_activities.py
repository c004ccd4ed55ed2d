"""What was done about a deal, and what is to be done next."""

from uuid import UUID

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Invalid, Page, http
from somos.modules.crm.actions.deal_activities import record
from somos.modules.crm.actions.owners import check_seller
from somos.modules.crm.schemas.deal_activities import ActivityDraft, ActivityFilter, ActivityPatch, ActivityView
from somos.modules.crm.tables.deal_activities import WRITTEN, DealActivity
from somos.modules.crm.tables.deals import Deal
from somos.policy.grants import allows


@http.get("/api/v1/deal-activities", allow="crm:read")
def deal_activities_list(filter: ActivityFilter, ctx: Context) -> Page[ActivityView]:
    return ctx.page(ctx.visible(DealActivity).where(*filter.clauses()), ActivityView)


@http.get("/api/v1/deal-activities/{id}", allow="crm:read")
def deal_activities_get(id: UUID, ctx: Context) -> ActivityView:
    return ctx.show(ctx.get(DealActivity, id), ActivityView)


@http.post("/api/v1/deal-activities", allow="crm:write")
def deal_activities_create(draft: ActivityDraft, ctx: Context) -> ActivityView:
    deal = ctx.linked(Deal, draft.deal_id, "deal_id")
    assignee_id = _assignee(ctx, draft.assignee_id, deal.owner_id)
    return ctx.show(record(ctx, **draft.model_dump() | {"assignee_id": assignee_id}), ActivityView)


@http.patch("/api/v1/deal-activities/{id}", allow="crm:write")
def deal_activities_patch(id: UUID, patch: ActivityPatch, ctx: Context) -> ActivityView:
    activity = _written_by_people(ctx, id)
    _assignee(ctx, patch.assignee_id, activity.assignee_id)
    if activity.kind == "task" and "due_at" in patch.model_fields_set and patch.due_at is None:
        raise Invalid("Uma tarefa precisa de data", field="due_at")
    return ctx.show(ctx.change(activity, patch), ActivityView)


@http.post("/api/v1/deal-activities/{id}/done", allow="crm:write", status=200)
def deal_activities_done(id: UUID, ctx: Context) -> ActivityView:
    """Done once; asking again changes nothing."""
    activity = _written_by_people(ctx, id)
    return ctx.show(ctx.change(activity, done_at=activity.done_at or ctx.now), ActivityView)


@http.delete("/api/v1/deal-activities/{id}", allow="crm:write")
def deal_activities_delete(id: UUID, ctx: Context) -> None:
    ctx.db.delete(_written_by_people(ctx, id))


def _written_by_people(ctx: Context, id: UUID) -> DealActivity:
    """Messages and stage changes are facts that the system wrote down."""
    activity = ctx.get(DealActivity, id, lock=True)
    if activity.kind not in WRITTEN:
        raise NotAllowed("Este registro é do sistema e não muda", code="system-record")
    return activity


def _assignee(ctx: Context, chosen: UUID | None, default: UUID | None) -> UUID | None:
    """Sellers give tasks to themselves; the direction gives them to anybody who sells."""
    if chosen is None or chosen in (default, ctx.principal.id):
        return chosen or default
    if not allows(ctx.principal, "deal.reassign"):
        raise Invalid("Só a direção dá tarefas a outra pessoa", field="assignee_id")
    check_seller(ctx, chosen, "assignee_id")
    return chosen
