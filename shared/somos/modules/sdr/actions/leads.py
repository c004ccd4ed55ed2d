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
from sqlalchemy.orm import Session

from somos.mesh.ids import uuid7
from somos.mesh.journal import settle
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.locks import lock
from somos.modules.sdr.actions.messages import cancel
from somos.modules.sdr.actions.responses import erase_response
from somos.modules.sdr.rules.machines import CANCELLABLE, LIVE_ENROLMENTS
from somos.modules.sdr.tables import (
    AcceptedLead,
    Enrolment,
    HiddenNumber,
    MessageReceipt,
    OutreachMessage,
    PhoneMessage,
    Reconsent,
    Response,
)


def accept(db: Session, response: Response, owner_id: UUID) -> bool:
    """True the first time this lead is accepted, whatever is delivered, pulled or classified again."""
    made = db.execute(
        insert(AcceptedLead)
        .values(id=uuid7(), lead_id=response.lead_id, response_id=response.id, owner_id=owner_id)
        .on_conflict_do_nothing(index_elements=["lead_id"])
        .returning(AcceptedLead.id)
    )
    return made.first() is not None


ERASED = "Os dados do lead foram apagados."


def erase(db: Session, lead_id: UUID, keys: Collection[str], now: datetime, *, unmatched: bool) -> None:
    """End all that is on its way to this lead, and blank all that was said; `keys` are of its person.

    With `unmatched` also what the person wrote that belongs to no lead.
    """
    lock(db, [*keys, f"lead:{lead_id}"])
    enrolments = select(Enrolment).where(Enrolment.lead_id == lead_id).order_by(Enrolment.id)
    for enrolment in db.scalars(enrolments.with_for_update()):
        if enrolment.state in LIVE_ENROLMENTS:
            stop_enrolment(enrolment, "stopped_manual", ERASED)
        enrolment.stopped_reason = enrolment.stopped_reason and ERASED
    ours = select(OutreachMessage).where(OutreachMessage.lead_id == lead_id).order_by(OutreachMessage.id)
    messages = db.scalars(ours.with_for_update()).all()
    for message in messages:
        if message.state in CANCELLABLE:
            cancel(db, message, ERASED, now)
        _blank(message, now)
    settle(db, [message.id for message in messages], now)
    said = or_(Response.lead_id == lead_id, Response.message_id.in_([message.id for message in messages]))
    if unmatched:
        said = or_(said, and_(Response.lead_id.is_(None), Response.from_key.in_(keys)))
    theirs = select(Response).where(said)
    answers = db.scalars(theirs.order_by(Response.id).with_for_update()).all()
    for answer in answers:
        erase_response(answer, now)
    db.execute(update(Reconsent).where(Reconsent.response_id.in_([one.id for one in answers])).values(quote=""))
    on_phone = update(PhoneMessage).where(PhoneMessage.lead_id == lead_id, PhoneMessage.erased_at.is_(None))
    db.execute(on_phone.values(text="", erased_at=now))
    db.execute(delete(HiddenNumber).where(HiddenNumber.phone_key.in_(keys)))
    reported = [(message.channel, message.provider_id) for message in messages if message.provider_id]
    receipts = tuple_(MessageReceipt.channel, MessageReceipt.provider_id).in_(reported)
    db.execute(update(MessageReceipt).where(receipts).values(detail=None))


def _blank(message: OutreachMessage, now: datetime) -> None:
    message.to_address = message.text = ""
    message.jid = message.subject = message.drafted_text = message.evidence = None
    message.ended_reason = message.ended_reason and ERASED
    message.erased_at = message.erased_at or now
