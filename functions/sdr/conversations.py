"""The conversation with one lead, on every channel, and a person's answer in it."""

from uuid import UUID

from somos.events.sdr import MessageApproved
from somos.kernel.keys import PersonKeys
from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Forbidden, Invalid, NotFound, http
from somos.modules.hunter.queries import leads as hunter
from somos.modules.hunter.queries.leads import LeadCard
from somos.modules.sdr.actions.drafts import answer
from somos.modules.sdr.queries.conversations import check_owns, conversation
from somos.modules.sdr.queries.responses import last_written
from somos.modules.sdr.queries.senders import sender_for
from somos.modules.sdr.queries.suppressions import asked_to_be_left_alone
from somos.modules.sdr.schemas.conversations import ConversationView, Reply, TimelineView
from somos.modules.sdr.schemas.messages import MessageView, to_fix


@http.get("/api/v1/conversations/{lead_id}", allow="sdr:read")
def conversations_get(lead_id: UUID, ctx: Context) -> ConversationView:
    card = _card(ctx, lead_id)
    person = PersonKeys.of(card.phone, card.email).hashes(ctx.settings.suppression_key)
    return ConversationView(
        lead_id=lead_id,
        company_name=card.company_name,
        contact_name=card.contact_name,
        suppressed=asked_to_be_left_alone(ctx.db, person),
        items=[ctx.show(item, TimelineView) for item in conversation(ctx.db, lead_id)],
    )


@http.post("/api/v1/conversations/{lead_id}/reply", allow="conversation.reply")
def conversations_reply(lead_id: UUID, reply: Reply, ctx: Context) -> MessageView:
    """Answer somebody who wrote to us. Writing it is approving it: the writer is a person, and it is their text."""
    check_owns(ctx, lead_id)
    card = _card(ctx, lead_id)
    received = last_written(ctx.db, lead_id, reply.channel)
    if received is None:
        raise Forbidden("Só se responde a quem escreveu; o primeiro contato passa pela aprovação")
    sender = sender_for(ctx.db, received.channel, received.sender_id) or sender_for(ctx.db, received.channel)
    if sender is None:
        raise NotAllowed("Não há remetente ativo neste canal", code="no-sender")
    with ctx.as_system():
        message = answer(ctx, received, card, sender, reply.subject, reply.text)
        if wrong := to_fix(message):
            raise Invalid(" ".join(wrong), field="text")
    ctx.emit(MessageApproved(message_id=message.id))
    return ctx.show(message, MessageView)


def _card(ctx: Context, lead_id: UUID) -> LeadCard:
    card = hunter.lead_card(ctx.db, lead_id)
    if card is None:
        raise NotFound
    return card
