"""Forgetting what was said with a lead. Keyed hashes stay: they say whom never to write to, and nothing else.

What providers sent raw and what was asked of them outside is the mesh's: it drops both after thirty days. A call whose
outcome nobody knows would wait longer, for a person: it is settled here, and only its message stays to be decided.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, delete, or_, select, tuple_, update
from sqlalchemy.orm import Session

from somos.mesh.journal import settle
from somos.modules.sdr import people
from somos.modules.sdr.rules.machines import CANCELLABLE, LIVE_ENROLMENTS
from somos.modules.sdr.stopping import cancel, stop_enrolment
from somos.modules.sdr.tables import (
    Enrolment,
    HiddenNumber,
    MessageReceipt,
    OutreachMessage,
    PhoneMessage,
    Reconsent,
    Response,
)

REASON = "Os dados do lead foram apagados."


def erase(db: Session, lead_id: UUID, keys: Collection[str], now: datetime, *, unmatched: bool) -> None:
    """End all that is on its way to this lead, and blank all that was said; `keys` are of its person.

    With `unmatched` also what the person wrote that belongs to no lead.
    """
    people.lock(db, [*keys, f"lead:{lead_id}"])
    enrolments = select(Enrolment).where(Enrolment.lead_id == lead_id).order_by(Enrolment.id)
    for enrolment in db.scalars(enrolments.with_for_update()):
        if enrolment.state in LIVE_ENROLMENTS:
            stop_enrolment(enrolment, "stopped_manual", REASON)
        enrolment.stopped_reason = enrolment.stopped_reason and REASON
    ours = select(OutreachMessage).where(OutreachMessage.lead_id == lead_id).order_by(OutreachMessage.id)
    messages = db.scalars(ours.with_for_update()).all()
    for message in messages:
        if message.state in CANCELLABLE:
            cancel(db, message, REASON, now)
        _blank(message, now)
    settle(db, [message.id for message in messages], now)
    said = or_(Response.lead_id == lead_id, Response.message_id.in_([message.id for message in messages]))
    if unmatched:
        said = or_(said, and_(Response.lead_id.is_(None), Response.from_key.in_(keys)))
    theirs = select(Response).where(said)
    answers = db.scalars(theirs.order_by(Response.id).with_for_update()).all()
    for answer in answers:
        erase_answer(answer, now)
    db.execute(update(Reconsent).where(Reconsent.response_id.in_([one.id for one in answers])).values(quote=""))
    on_phone = update(PhoneMessage).where(PhoneMessage.lead_id == lead_id, PhoneMessage.erased_at.is_(None))
    db.execute(on_phone.values(text="", erased_at=now))
    db.execute(delete(HiddenNumber).where(HiddenNumber.phone_key.in_(keys)))
    reported = [(message.channel, message.provider_id) for message in messages if message.provider_id]
    receipts = tuple_(MessageReceipt.channel, MessageReceipt.provider_id).in_(reported)
    db.execute(update(MessageReceipt).where(receipts).values(detail=None))


def erase_answer(answer: Response, now: datetime) -> None:
    """What it meant stays, and that it came; nobody looks at it again."""
    answer.from_address = answer.text = ""
    answer.from_name = answer.lid = answer.subject = answer.headers = answer.quote = None
    if answer.state != "handled":
        answer.state, answer.handled_at = "handled", now
    answer.erased_at = answer.erased_at or now


def is_part_of(message: OutreachMessage, received_at: datetime) -> bool:
    """Whether what was received then belongs to what was erased of this message's lead."""
    return message.erased_at is not None and received_at <= message.erased_at


def _blank(message: OutreachMessage, now: datetime) -> None:
    message.to_address = message.text = ""
    message.jid = message.subject = message.drafted_text = message.evidence = None
    message.ended_reason = message.ended_reason and REASON
    message.erased_at = message.erased_at or now
