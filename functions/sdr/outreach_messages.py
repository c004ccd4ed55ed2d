"""Messages: the queue that people decide, one by one, beside the evidence of each lead."""

from uuid import UUID

from somos.events.sdr import MessageApproved
from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Invalid, Page, http
from somos.modules.sdr.actions.approvals import ask, bind, pending_request
from somos.modules.sdr.actions.drafts import put_text
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.receipts import mark_sent
from somos.modules.sdr.queries.approvals import hash_of
from somos.modules.sdr.queries.people import lock_people
from somos.modules.sdr.rules.machines import MESSAGE
from somos.modules.sdr.schemas.messages import (
    Approve,
    EditAndApprove,
    MessageEdit,
    MessageFilter,
    MessageView,
    Reject,
    Settle,
    to_fix,
)
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.senders import Sender

EDITABLE = ("awaiting_approval", "approved", "queued")


@http.get("/api/v1/outreach-messages", allow="sdr:read")
def outreach_messages_list(filter: MessageFilter, ctx: Context) -> Page[MessageView]:
    return ctx.page(ctx.visible(OutreachMessage).where(*filter.clauses()), MessageView)


@http.get("/api/v1/outreach-messages/{id}", allow="sdr:read")
def outreach_messages_get(id: UUID, ctx: Context) -> MessageView:
    return ctx.show(ctx.get(OutreachMessage, id), MessageView)


@http.patch("/api/v1/outreach-messages/{id}", allow="sdr:write")
def outreach_messages_patch(id: UUID, edit: MessageEdit, ctx: Context) -> MessageView:
    """Change the words; whatever was approved before is void, and a person is asked again."""
    message = _locked(ctx, id)
    if message.state not in EDITABLE:
        raise _refused("Esta mensagem não pode mais ser alterada")
    _rewrite(ctx, message, edit.model_dump(exclude_unset=True))
    return ctx.show(message, MessageView)


@http.post("/api/v1/outreach-messages/{id}/approve", allow="outreach.approve", status=200)
def outreach_messages_approve(id: UUID, approve: Approve, ctx: Context) -> MessageView:
    """Say yes to exactly what was read; the answer to a second yes is the first one."""
    message = _locked(ctx, id)
    if message.approval_id is not None and message.text_hash == approve.text_hash:
        return ctx.show(message, MessageView)
    _approve(ctx, message, approve.text_hash)
    return ctx.show(message, MessageView)


@http.post("/api/v1/outreach-messages/{id}/edit-and-approve", allow="outreach.approve", status=200)
def outreach_messages_edit_and_approve(id: UUID, edit: EditAndApprove, ctx: Context) -> MessageView:
    message = _locked(ctx, id)
    _check_read(ctx, message, edit.text_hash)
    _rewrite(ctx, message, edit.model_dump(exclude_unset=True, exclude={"text_hash"}))
    _approve(ctx, message, message.text_hash or "")
    return ctx.show(message, MessageView)


@http.post("/api/v1/outreach-messages/{id}/reject", allow="outreach.approve", status=200)
def outreach_messages_reject(id: UUID, reject: Reject, ctx: Context) -> MessageView:
    message = _locked(ctx, id)
    if message.state != "awaiting_approval":
        raise _refused("Esta mensagem não espera decisão")
    if request := pending_request(ctx.db, message):
        request.state, request.reason = "rejected", reject.reason
        request.decided_by, request.decided_at = ctx.principal.id, ctx.now
    ctx.change(message, state=MESSAGE.move(message.state, "rejected"), ended_reason=reject.reason)
    if message.enrolment_id:
        stop_enrolment(ctx.db.get(Enrolment, message.enrolment_id), "stopped_manual", reject.reason)
    return ctx.show(message, MessageView)


@http.post("/api/v1/outreach-messages/{id}/settle", allow="effect.settle", status=200)
def outreach_messages_settle(id: UUID, settle: Settle, ctx: Context) -> MessageView:
    """Say what became of a message nobody could tell of, or that a person sends by hand on LinkedIn."""
    message = _locked(ctx, id)
    by_hand = message.channel == "linkedin" and message.state in ("approved", "queued")
    if message.state != "unknown" and not (by_hand and settle.outcome == "sent"):
        raise _refused("Só se resolve à mão uma mensagem de desfecho desconhecido, ou do LinkedIn")
    ctx.settle(message.id)
    if settle.outcome == "sent":
        message.state = MESSAGE.move(message.state, "sending") if by_hand else message.state
        mark_sent(ctx, message, message.provider_id or f"person-{message.id}")
    else:
        message.state = MESSAGE.move(message.state, "not_sent")
        message.left_at = None
        if settle.again:
            message.state = MESSAGE.move(message.state, "queued")
            message.due_at = None
            ctx.emit(MessageApproved(message_id=message.id))
    return ctx.show(ctx.change(message), MessageView)


def _locked(ctx: Context, id: UUID) -> OutreachMessage:
    lock_people(ctx.db, OutreachMessage, [id])
    return ctx.get(OutreachMessage, id, lock=True)


def _approve(ctx: Context, message: OutreachMessage, text_hash: str) -> None:
    _check_read(ctx, message, text_hash)
    if wrong := to_fix(message):
        raise Invalid(" ".join(wrong), field="text")
    request = pending_request(ctx.db, message)
    if request is None or request.expires_at <= ctx.now:
        raise _refused("O pedido de aprovação venceu; altere o texto para pedir de novo", "approval-expired")
    bind(message, request, ctx.principal.id, ctx.now)
    ctx.change(message)
    ctx.emit(MessageApproved(message_id=message.id))


def _check_read(ctx: Context, message: OutreachMessage, text_hash: str) -> None:
    """What is approved is what was read: this text, to this person, by this channel and sender."""
    if message.state != "awaiting_approval":
        raise _refused("Esta mensagem não espera decisão")
    if hash_of(message, ctx.db.get_one(Sender, message.sender_id)) != text_hash:
        raise _refused("A mensagem mudou desde que foi lida; leia de novo", "approval-stale")


def _rewrite(ctx: Context, message: OutreachMessage, changes: dict[str, str | None]) -> None:
    subject, text = changes.get("subject", message.subject), changes.get("text") or message.text
    if (subject, text) != (message.subject, message.text):
        message.edited_at = ctx.now
    put_text(message, subject, text, ctx.now)
    sender = ctx.db.get_one(Sender, message.sender_id)
    with ctx.as_system():  # the approval's row is not the editor's to write; voiding it is the system's
        ask(ctx.db, message, sender, f"{ctx.principal.kind.value}:{ctx.principal.id}", ctx.now)


def _refused(why: str, code: str = "message-state") -> NotAllowed:
    return NotAllowed(f"{why}.", code=code)
