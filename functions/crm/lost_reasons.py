"""Why deals are lost: the list a seller chooses from."""

from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.crm.schemas.lost_reasons import LostReasonDraft, LostReasonFilter, LostReasonPatch, LostReasonView
from somos.modules.crm.tables.lost_reasons import LostReason


@http.get("/api/v1/lost-reasons", allow="crm:read")
def lost_reasons_list(filter: LostReasonFilter, ctx: Context) -> Page[LostReasonView]:
    return ctx.page(ctx.visible(LostReason).where(*filter.clauses()), LostReasonView)


@http.get("/api/v1/lost-reasons/{id}", allow="crm:read")
def lost_reasons_get(id: UUID, ctx: Context) -> LostReasonView:
    return ctx.show(ctx.get(LostReason, id), LostReasonView)


@http.post("/api/v1/lost-reasons", allow="crm.configure")
def lost_reasons_create(draft: LostReasonDraft, ctx: Context) -> LostReasonView:
    twins = ctx.visible(LostReason).where(LostReason.name == draft.name)
    ctx.refuse_twin(twins, LostReasonView, "Este motivo já existe", code="lost-reason-exists")
    return ctx.show(ctx.create(LostReason, draft), LostReasonView)


@http.patch("/api/v1/lost-reasons/{id}", allow="crm.configure")
def lost_reasons_patch(id: UUID, patch: LostReasonPatch, ctx: Context) -> LostReasonView:
    """A reason is never deleted, only retired: lost deals keep theirs."""
    return ctx.show(ctx.change(ctx.get(LostReason, id, lock=True), patch), LostReasonView)
