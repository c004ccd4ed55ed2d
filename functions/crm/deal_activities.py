"""What was done about a deal, and what is to be done next."""

from uuid import UUID

from somos.mesh import Conflict, Context, Invalid, Page, http
from somos.modules.crm.actions.deal_activities import record
from somos.modules.crm.actions.owners import check_seller
from somos.modules.crm.schemas.deal_activities import ActivityDraft, ActivityFilter, ActivityPatch, ActivityView
from somos.modules.crm.tables import Deal, DealActivity
from somos.policy.grants import allows

# Messages and stage changes are facts that the system wrote down.
WRITTEN_BY_PEOPLE = ("note", "call", "meeting", "task")


@http.get("/api/v1/deal-activities", allow="crm:read")
def deal_activities_list(filter: ActivityFilter, ctx: Context) -> Page[ActivityView]:
    return ctx.page(ctx.visible(DealActivity).where(*filter.clauses()), ActivityView)


@http.get("/api/v1/deal-activities/{id}", allow="crm:read")
def deal_activities_get(id: UUID, ctx: Context) -> ActivityView:
    return ActivityView.model_validate(ctx.get(DealActivity, id))


@http.post("/api/v1/deal-activities", allow="crm:write")
def deal_activities_create(draft: ActivityDraft, ctx: Context) -> ActivityView:
    deal = ctx.db.scalars(ctx.visible(Deal).where(Deal.id == draft.deal_id)).first()
    if deal is None:
        raise Invalid("Não encontrado", field="deal_id")
    more = draft.model_dump(exclude={"deal_id", "kind", "subject"})
    more["assignee_id"] = _assignee(ctx, draft.assignee_id, deal.owner_id)
    activity = record(ctx.db, deal.id, draft.kind, draft.subject, ctx.principal, ctx.now, **more)
    ctx.db.flush()
    return ActivityView.model_validate(activity)


@http.patch("/api/v1/deal-activities/{id}", allow="crm:write")
def deal_activities_patch(id: UUID, patch: ActivityPatch, ctx: Context) -> ActivityView:
    activity = _written_by_people(ctx, id)
    changes = patch.model_dump(exclude_unset=True)
    if changes.get("assignee_id") is not None:
        _assignee(ctx, changes["assignee_id"], activity.assignee_id)
    if activity.kind == "task" and changes.get("due_at", activity.due_at) is None:
        raise Invalid("Uma tarefa precisa de data", field="due_at")
    for name, value in changes.items():
        setattr(activity, name, value)
    ctx.db.flush()
    return ActivityView.model_validate(activity)


@http.post("/api/v1/deal-activities/{id}/done", allow="crm:write", status=200)
def deal_activities_done(id: UUID, ctx: Context) -> ActivityView:
    """Done once; asking again changes nothing."""
    activity = _written_by_people(ctx, id)
    activity.done_at = activity.done_at or ctx.now
    ctx.db.flush()
    return ActivityView.model_validate(activity)


@http.delete("/api/v1/deal-activities/{id}", allow="crm:write")
def deal_activities_delete(id: UUID, ctx: Context) -> None:
    ctx.db.delete(_written_by_people(ctx, id))


def _written_by_people(ctx: Context, id: UUID) -> DealActivity:
    activity = ctx.get(DealActivity, id, lock=True)
    if activity.kind not in WRITTEN_BY_PEOPLE:
        raise Conflict("Este registro é do sistema e não muda", code="system-record")
    return activity


def _assignee(ctx: Context, wanted: UUID | None, default: UUID | None) -> UUID | None:
    """Sellers give tasks to themselves; the direction gives them to anybody who sells."""
    if wanted is None or wanted in (default, ctx.principal.id):
        return wanted or default
    if not allows(ctx.principal, "deal.reassign"):
        raise Invalid("Só a direção dá tarefas a outra pessoa", field="assignee_id")
    check_seller(ctx.db, wanted, "assignee_id")
    return wanted
