"""What outreach does about leads: hands one to the pipeline, or forgets what was said with it.

Keyed hashes stay: they say whom never to write to, and nothing else. What providers sent raw and what was asked of them
outside is the mesh's: it drops both after thirty days. A call whose outcome nobody knows would wait longer, for a
person: it is settled here, and only its message stays to be decided.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, delete, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from somos.events.sdr import LeadAccepted
from somos.mesh import Context
from somos.mesh.ids import uuid7
from somos.mesh.journal import settle
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.messages import cancel
from somos.modules.sdr.actions.responses import erase_response
from somos.modules.sdr.queries.people import PERSON
from somos.modules.sdr.rules.machines import CANCELLABLE, LIVE_ENROLMENTS
from somos.modules.sdr.tables.accepted_leads import AcceptedLead
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.hidden_numbers import HiddenNumber
from somos.modules.sdr.tables.message_receipts import MessageReceipt
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.phone_messages import PhoneMessage
from somos.modules.sdr.tables.responses import Response
from somos.modules.sdr.tables.suppressions import Reconsent

ERASED = "Os dados do lead foram apagados."


def accept(ctx: Context, response: Response, owner_id: UUID) -> None:
    """Hand the lead to the pipeline, once, whatever is delivered, pulled or classified again."""
    if response.lead_id is None:
        return
    accepted = ctx.db.execute(
        insert(AcceptedLead)
        .values(id=uuid7(), lead_id=response.lead_id, response_id=response.id, owner_id=owner_id)
        .on_conflict_do_nothing(index_elements=["lead_id"])
        .returning(AcceptedLead.id)
    )
    if accepted.first() is not None:
        ctx.emit(
            LeadAccepted(
                lead_id=response.lead_id,
                owner_id=owner_id,
                response_id=response.id,
                campaign_id=response.campaign_id,
                channel=response.channel,
            )
        )


def erase(ctx: Context, lead_id: UUID, keys: Collection[str], *, unmatched: bool) -> None:
    """End all that is on its way to this lead, and blank all that was said; `keys` are of its person.

    With `unmatched` also what the person wrote that belongs to no lead.
    """
    ctx.lock(PERSON, [*keys, f"lead:{lead_id}"])
    enrolments = select(Enrolment).where(Enrolment.lead_id == lead_id).order_by(Enrolment.id)
    for enrolment in ctx.db.scalars(enrolments.with_for_update()):
        if enrolment.state in LIVE_ENROLMENTS:
            stop_enrolment(enrolment, "stopped_manual", ERASED)
        enrolment.stopped_reason = enrolment.stopped_reason and ERASED
    ours = select(OutreachMessage).where(OutreachMessage.lead_id == lead_id).order_by(OutreachMessage.id)
    messages = ctx.db.scalars(ours.with_for_update()).all()
    for message in messages:
        if message.state in CANCELLABLE:
            cancel(ctx, message, ERASED)
        _blank(message, ctx.now)
    settle(ctx.db, [message.id for message in messages], ctx.now)
    belongs = or_(Response.lead_id == lead_id, Response.message_id.in_([message.id for message in messages]))
    if unmatched:
        belongs = or_(belongs, and_(Response.lead_id.is_(None), Response.from_key.in_(keys)))
    theirs = select(Response).where(belongs)
    responses = ctx.db.scalars(theirs.order_by(Response.id).with_for_update()).all()
    for response in responses:
        erase_response(response, ctx.now)
    ctx.db.execute(update(Reconsent).where(Reconsent.response_id.in_([one.id for one in responses])).values(quote=""))
    on_phone = update(PhoneMessage).where(PhoneMessage.lead_id == lead_id, PhoneMessage.erased_at.is_(None))
    ctx.db.execute(on_phone.values(text="", erased_at=ctx.now))
    ctx.db.execute(delete(HiddenNumber).where(HiddenNumber.phone_key.in_(keys)))
    reported = [(message.channel, message.provider_id) for message in messages if message.provider_id]
    receipts = tuple_(MessageReceipt.channel, MessageReceipt.provider_id).in_(reported)
    ctx.db.execute(update(MessageReceipt).where(receipts).values(detail=None))


def _blank(message: OutreachMessage, now: datetime) -> None:
    message.to_address = message.text = ""
    message.jid = message.subject = message.drafted_text = message.evidence = None
    message.ended_reason = message.ended_reason and ERASED
    message.erased_at = message.erased_at or now
