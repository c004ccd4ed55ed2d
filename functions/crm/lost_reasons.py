"""Why deals are lost: the list a seller chooses from."""

from uuid import UUID

from somos.mesh import Conflict, Context, Page, http
from somos.modules.crm.schemas.lost_reasons import LostReasonDraft, LostReasonFilter, LostReasonPatch, LostReasonView
from somos.modules.crm.tables import LostReason


@http.get("/api/v1/lost-reasons", allow="crm:read")
def lost_reasons_list(filter: LostReasonFilter, ctx: Context) -> Page[LostReasonView]:
    return ctx.page(ctx.visible(LostReason).where(*filter.clauses()), LostReasonView)


@http.get("/api/v1/lost-reasons/{id}", allow="crm:read")
def lost_reasons_get(id: UUID, ctx: Context) -> LostReasonView:
    return LostReasonView.model_validate(ctx.get(LostReason, id))


@http.post("/api/v1/lost-reasons", allow="crm.configure")
def lost_reasons_create(draft: LostReasonDraft, ctx: Context) -> LostReasonView:
    if ctx.count(ctx.visible(LostReason).where(LostReason.name == draft.name)):
        raise Conflict("Este motivo já existe", code="lost-reason-exists")
    reason = LostReason(**draft.model_dump())
    ctx.db.add(reason)
    ctx.db.flush()
    return LostReasonView.model_validate(reason)


@http.patch("/api/v1/lost-reasons/{id}", allow="crm.configure")
def lost_reasons_patch(id: UUID, patch: LostReasonPatch, ctx: Context) -> LostReasonView:
    """A reason is never deleted, only retired: lost deals keep theirs."""
    reason = ctx.get(LostReason, id, lock=True)
    for name, value in patch.model_dump(exclude_unset=True).items():
        setattr(reason, name, value)
    ctx.db.flush()
    return LostReasonView.model_validate(reason)
