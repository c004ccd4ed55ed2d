"""Answers by mail name the message they answer; whichever of the two is known first waits for the other."""

from collections.abc import Iterable
from typing import cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.events.sdr import ReplyStored
from somos.mesh import Context
from somos.modules.sdr import people
from somos.modules.sdr.erasing import erase_answer, is_part_of
from somos.modules.sdr.inbox import conclude, writer
from somos.modules.sdr.rules.inbound import Label, Verdict
from somos.modules.sdr.tables import OutreachMessage, Response


def lock_with_answers(db: Session, message_id: UUID, rfc_id: str | None = None) -> list[UUID]:
    """Lock the person of a message and whoever answered it before it was known; the answers that wait for it.

    `rfc_id` is what the caller has just learnt.
    """
    m = OutreachMessage
    columns = select(m.channel, m.rfc_id, m.provider_id, m.phone_key, m.email_key, m.lead_id)
    found = db.execute(columns.where(m.id == message_id)).first()
    if found is None:
        return []
    if found.channel != "email":
        people.lock_for(db, message_id)
        return []
    people.lock_ids(db, found.provider_id)
    people.lock_ids(db, found.rfc_id, rfc_id)
    # As an answer writes them.
    known = [id for id in (found.provider_id and f"<{found.provider_id}>", found.rfc_id, rfc_id) if id]
    r = Response
    waiting = db.execute(
        select(r.id, r.from_key, r.lead_id).where(
            r.channel == "email", r.message_id.is_(None), r.answered_ids.overlap(known)
        )
    ).all()
    message = db.get_one(OutreachMessage, message_id)
    keys = set(people.keys_of(message))
    for answer in waiting:
        keys |= writer(db, "email", answer.from_key, message, answer.lead_id).keys()
    people.lock(db, keys)
    return [answer.id for answer in waiting]


def match(ctx: Context, db: Session, message: OutreachMessage, answers: Iterable[UUID]) -> None:
    """Give a message the answers that waited for it; everybody is locked. What they stop is stopped now."""
    for id in answers:
        response = db.get_one(Response, id, with_for_update=True, populate_existing=True)
        if response.message_id is not None or response.lead_id not in (None, message.lead_id):
            continue  # somebody said meanwhile whose it is
        if message.erased_at is not None and not is_part_of(message, response.received_at):
            continue
        response.message_id, response.lead_id = message.id, message.lead_id
        response.campaign_id = message.campaign_id
        if message.erased_at is not None:
            erase_answer(response, ctx.now)
            continue
        if response.state == "unread":
            continue  # it is understood once it is read
        if response.label is None:
            response.state = "matched"
            ctx.emit(ReplyStored(response_id=response.id))
        else:
            # Its meaning is known, but not to whom it applies.
            label = cast(Label, response.label)  # a CHECK keeps it to the known ones
            again = Verdict(label, response.quote or "", response.confidence or 1.0)
            conclude(
                ctx, db, response, again, by=response.classified_by or "rule", by_id=response.classified_by_id,
                model=response.model, later_date=response.later_date,
            )  # fmt: skip
