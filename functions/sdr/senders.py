"""Senders: their windows, caps and health. One that is blocked holds its queue until a person repairs it."""

from uuid import UUID

from somos.mesh import Conflict, Context, Invalid, Page, http
from somos.modules.sdr.actions.messages import release
from somos.modules.sdr.actions.senders import change_health
from somos.modules.sdr.schemas.senders import SenderDraft, SenderFilter, SenderPatch, SenderView, check_window
from somos.modules.sdr.tables import OutreachMessage, Sender


@http.get("/api/v1/senders", allow="sdr:read")
def senders_list(filter: SenderFilter, ctx: Context) -> Page[SenderView]:
    return ctx.page(ctx.visible(Sender).where(*filter.clauses()), SenderView)


@http.get("/api/v1/senders/{id}", allow="sdr:read")
def senders_get(id: UUID, ctx: Context) -> SenderView:
    return SenderView.model_validate(ctx.get(Sender, id))


@http.post("/api/v1/senders", allow="outreach.approve")
def senders_create(draft: SenderDraft, ctx: Context) -> SenderView:
    sender = Sender(**draft.model_dump())
    ctx.db.add(sender)
    ctx.db.flush()
    return SenderView.model_validate(sender)


@http.patch("/api/v1/senders/{id}", allow="outreach.approve")
def senders_edit(id: UUID, patch: SenderPatch, ctx: Context) -> SenderView:
    """Change how a sender works; what waited for its window or cap is looked at again."""
    sender = ctx.get(Sender, id, lock=True)
    for name, value in patch.model_dump(exclude_unset=True).items():
        setattr(sender, name, value)
    try:
        check_window(sender.opens, sender.closes)
    except ValueError as error:
        raise Invalid(str(error), field="closes") from error
    ctx.db.flush()
    release(ctx, ctx.db, OutreachMessage.sender_id == id)
    return SenderView.model_validate(sender)


@http.post("/api/v1/senders/{id}/repaired", allow="sender.repair", status=200)
def senders_repaired(id: UUID, ctx: Context) -> SenderView:
    """A person confirms that the account works again: the queue it held goes on."""
    sender = ctx.get(Sender, id, lock=True)
    if not change_health(sender, "ok", None):
        raise Conflict("O remetente não está com problema", code="sender-ok", fresh=SenderView.model_validate(sender))
    sender.back_at = ctx.now
    ctx.db.flush()
    release(ctx, ctx.db, OutreachMessage.sender_id == id)
    return SenderView.model_validate(sender)
