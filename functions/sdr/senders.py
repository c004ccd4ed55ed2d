"""Senders: their windows, caps and health. One that is blocked holds its queue until a person repairs it."""

from uuid import UUID

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Invalid, Page, http
from somos.modules.sdr.actions.messages import release
from somos.modules.sdr.actions.senders import change_health
from somos.modules.sdr.schemas.senders import SenderDraft, SenderFilter, SenderPatch, SenderView, check_window
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.senders import Sender


@http.get("/api/v1/senders", allow="sdr:read")
def senders_list(filter: SenderFilter, ctx: Context) -> Page[SenderView]:
    return ctx.page(ctx.visible(Sender).where(*filter.clauses()), SenderView)


@http.get("/api/v1/senders/{id}", allow="sdr:read")
def senders_get(id: UUID, ctx: Context) -> SenderView:
    return ctx.show(ctx.get(Sender, id), SenderView)


@http.post("/api/v1/senders", allow="outreach.approve")
def senders_create(draft: SenderDraft, ctx: Context) -> SenderView:
    return ctx.show(ctx.create(Sender, draft), SenderView)


@http.patch("/api/v1/senders/{id}", allow="outreach.approve")
def senders_patch(id: UUID, patch: SenderPatch, ctx: Context) -> SenderView:
    """Change how a sender works; what waited for its window or cap is looked at again."""
    sender = ctx.change(ctx.get(Sender, id, lock=True), patch)
    try:
        check_window(sender.opens, sender.closes)
    except ValueError as error:
        raise Invalid(str(error), field="closes") from error
    release(ctx, OutreachMessage.sender_id == id)
    return ctx.show(sender, SenderView)


@http.post("/api/v1/senders/{id}/repaired", allow="sender.repair", status=200)
def senders_repaired(id: UUID, ctx: Context) -> SenderView:
    """A person confirms that the account works again: the queue it held goes on."""
    sender = ctx.get(Sender, id, lock=True)
    if not change_health(sender, "ok", None):
        raise NotAllowed("O remetente não está com problema", code="sender-ok")
    ctx.change(sender, back_at=ctx.now)
    release(ctx, OutreachMessage.sender_id == id)
    return ctx.show(sender, SenderView)
