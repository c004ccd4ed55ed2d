"""New messages and their words."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from somos.kernel.keys import PersonKeys
from somos.mesh import Conflict, Context
from somos.modules.hunter.queries import leads as hunter
from somos.modules.hunter.queries.leads import LeadCard
from somos.modules.sdr.actions.approvals import ask, bind
from somos.modules.sdr.queries.drafts import DraftRequest, OutreachDraft, address_of
from somos.modules.sdr.queries.people import PERSON, key_of, keys_of
from somos.modules.sdr.queries.senders import sender_for
from somos.modules.sdr.rules.drafts import unsubscribe_link, with_way_out
from somos.modules.sdr.rules.machines import ENROLMENT
from somos.modules.sdr.rules.windows import zone_of
from somos.modules.sdr.tables.cadences import CadenceStep
from somos.modules.sdr.tables.campaigns import OutreachCampaign
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.responses import Response
from somos.modules.sdr.tables.senders import Sender
from somos.ports.llm import LlmAnswer

KINDS = {"replied": "reply", "bounced": "second_channel"}


def new_message(
    card: LeadCard, sender: Sender, secret: str, *, to: str | None = None, **values: Any
) -> OutreachMessage:
    """An empty draft to this lead from this sender; `to` is another address that they wrote from."""
    keys = PersonKeys.of(
        to if to and sender.channel == "whatsapp" else card.phone,
        to if to and sender.channel == "email" else card.email,
    )
    address = to or address_of(card, sender.channel)
    assert address is not None
    return OutreachMessage(
        lead_id=card.id,
        channel=sender.channel,
        sender_id=sender.id,
        to_address=address,
        phone_key=key_of(secret, "phone", keys.phone),
        email_key=key_of(secret, "email", keys.email),
        zone=zone_of(card.uf, sender.time_zone),
        uf=card.uf,
        **values,
    )


def put_text(message: OutreachMessage, subject: str | None, text: str, now: datetime) -> None:
    """Write the final text into a draft."""
    message.subject = " ".join(subject.split()) if subject and message.channel == "email" else None
    message.text = text
    message.drafted_at = message.drafted_at or now


def put_draft(
    message: OutreachMessage, draft_request: DraftRequest, answer: LlmAnswer, settings: Any, now: datetime
) -> None:
    """Write down what the model wrote, with the way out that code adds and the evidence it stands on."""
    draft = OutreachDraft.model_validate(answer.output)
    link = unsubscribe_link(settings.public_url, settings.suppression_key, message.id)
    # Who wrote to us is answered; everybody else is told how to be left alone.
    text = draft.text if message.kind == "reply" else with_way_out(message.channel, draft.text, link)
    put_text(message, draft.subject, text, now)
    message.drafted_text, message.evidence = message.text, draft_request.evidence
    message.model, message.prompt_version = answer.model, draft_request.prompt.version
    message.tokens_in, message.tokens_out = answer.tokens_in, answer.tokens_out


def draft_step(ctx: Context, enrolment: Enrolment, step: CadenceStep) -> OutreachMessage | None:
    """The step's empty message; None when it has one already, or cannot reach the person on its channel."""
    twin = select(OutreachMessage.id).where(
        OutreachMessage.enrolment_id == enrolment.id, OutreachMessage.step_no == step.step_no
    )
    card = hunter.lead_card(ctx.db, enrolment.lead_id)
    campaign = ctx.db.get_one(OutreachCampaign, enrolment.campaign_id)
    own = campaign.sender_id if campaign.channel == step.channel else None
    sender = sender_for(ctx.db, step.channel, step.sender_id or own)
    if ctx.db.scalars(twin).first() or card is None or sender is None or address_of(card, step.channel) is None:
        if enrolment.state == "active":
            enrolment.state = ENROLMENT.move(enrolment.state, "stopped_manual")
            enrolment.stopped_reason = f"O passo {step.step_no} não tem como alcançar a pessoa."
        return None
    message = new_message(
        card,
        sender,
        ctx.settings.suppression_key,
        campaign_id=campaign.id,
        enrolment_id=enrolment.id,
        step_no=step.step_no,
        kind=KINDS.get(step.condition, "follow_up"),
        instruction=step.instruction,
    )
    ctx.db.add(message)
    ctx.db.flush()
    return message


def answer(
    ctx: Context, received: Response, card: LeadCard, sender: Sender, subject: str | None, text: str
) -> OutreachMessage:
    """The answer, to the address they wrote from, approved by who writes it."""
    message = new_message(
        card,
        sender,
        ctx.settings.suppression_key,
        to=received.from_address,
        campaign_id=received.campaign_id,
        kind="reply",
        author="person",
        author_id=ctx.principal.id,
    )
    if subject is None and received.subject:
        subject = received.subject if received.subject.lower().startswith("re:") else f"Re: {received.subject}"
    put_text(message, subject, text, ctx.now)
    ctx.lock(PERSON, keys_of(message))
    ctx.db.refresh(received, ["erased_at"])
    if received.erased_at is not None:
        raise Conflict("Os dados deste lead foram apagados", code="lead-state")
    ctx.db.add(message)
    ctx.db.flush()
    request = ask(ctx.db, message, sender, f"user:{ctx.principal.id}", ctx.now)
    bind(message, request, ctx.principal.id, ctx.now)
    ctx.db.flush()
    return message
