"""A person's own answer to a person who wrote: approved by its writer, bound like every other message."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.mesh import Conflict, Context
from somos.modules.hunter.queries import LeadCard
from somos.modules.sdr import people
from somos.modules.sdr.asking import ask, bind
from somos.modules.sdr.drafting import new_message, put_text
from somos.modules.sdr.rules.inbound import MACHINE
from somos.modules.sdr.tables import OutreachMessage, Response, Sender


def last_heard(db: Session, lead_id: UUID, channel: str | None) -> Response | None:
    """What a person of this lead last wrote on a channel, or anywhere; machines do not count."""
    wrote = select(Response).where(
        Response.lead_id == lead_id,
        Response.kind == "message",
        Response.label.is_(None) | Response.label.not_in(MACHINE),
        Response.erased_at.is_(None),
    )
    if channel is not None:
        wrote = wrote.where(Response.channel == channel)
    return db.scalars(wrote.order_by(Response.received_at.desc(), Response.id.desc()).limit(1)).first()


def answer_to(
    ctx: Context, db: Session, heard: Response, card: LeadCard, sender: Sender, subject: str | None, text: str
) -> OutreachMessage:
    """The answer, to the address they wrote from, approved by who writes it."""
    message = new_message(
        card,
        sender,
        ctx.settings.suppression_key,
        to=heard.from_address,
        campaign_id=heard.campaign_id,
        kind="reply",
        author="person",
        author_id=ctx.principal.id,
    )
    if subject is None and heard.subject:
        subject = heard.subject if heard.subject.lower().startswith("re:") else f"Re: {heard.subject}"
    put_text(message, subject, text, ctx.now)
    people.lock(db, people.keys_of(message))
    db.refresh(heard, ["erased_at"])
    if heard.erased_at is not None:
        raise Conflict("Os dados deste lead foram apagados", code="lead-state")
    db.add(message)
    db.flush()
    request = ask(db, message, sender, f"user:{ctx.principal.id}", ctx.now)
    bind(message, request, ctx.principal.id, ctx.now)
    db.flush()
    return message
