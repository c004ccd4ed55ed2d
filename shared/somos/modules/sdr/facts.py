"""What the pre-flight checks look at, read from the database under the locks of person and sender."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from somos.modules.crm import queries as crm
from somos.modules.hunter import queries as hunter
from somos.modules.keys import CompanyKeys
from somos.modules.sdr import people
from somos.modules.sdr.absences import back_at
from somos.modules.sdr.asking import hash_of
from somos.modules.sdr.bouncing import paused_until
from somos.modules.sdr.rules.guards import Inbound, Preflight
from somos.modules.sdr.rules.inbound import HUMAN, MACHINE
from somos.modules.sdr.rules.machines import LIVE_ENROLMENTS
from somos.modules.sdr.rules.windows import PERSON_CAP_PERIOD, Ramp, Window, day_bounds
from somos.modules.sdr.tables import (
    Approval,
    Enrolment,
    KillSwitch,
    OutreachCampaign,
    OutreachMessage,
    Response,
    Sender,
)


def facts(db: Session, message: OutreachMessage, sender: Sender, now: datetime) -> Preflight:
    """Everything the checks need of one message, as it stands now."""
    approval = db.get(Approval, message.approval_id) if message.approval_id else None
    approved = approval is not None and approval.state == "approved"
    campaign = db.get(OutreachCampaign, message.campaign_id, populate_existing=True) if message.campaign_id else None
    enrolment = db.get(Enrolment, message.enrolment_id, populate_existing=True) if message.enrolment_id else None
    keys = people.keys_of(message)
    conversational = message.kind == "reply"
    theirs = people.heard_from(db, message)
    return Preflight(
        now=now,
        channel=message.channel,
        conversational=conversational,
        content_hash=hash_of(message, sender),
        approved_hash=approval.subject_hash if approval and approved else None,
        approved_by_person=approval is not None and approval.decided_by is not None,
        approval_expires_at=approval.expires_at if approval else None,
        suppressed=is_silenced(db, message),
        inbound=inbound_of(db, message, theirs),
        lead_state=hunter.lead_states(db, [message.lead_id]).get(message.lead_id),
        relationship=None if conversational else relationship_of(db, message),
        stopped_enrolment=enrolment.state if enrolment and not outlives(message, enrolment) else None,
        campaign_state=campaign.state if campaign else None,
        switches=switches_on(db, message.channel, message.author),
        health=sender.health if sender.active else "inactive",
        health_until=sender.health_until,
        window=Window(sender.opens, sender.closes, frozenset(sender.weekdays), sender.skip_holidays),
        zone=message.zone,
        sender_zone=sender.time_zone,
        ramp=Ramp(sender.daily_cap, sender.ramp_start, sender.ramp_step, sender.ramp_since),
        sender_left_today=left_today(db, sender, now),
        away_until=back_at(db, theirs, message.zone, now),
        address_paused_until=paused_until(db, message),
        person_left=left_to(db, keys, message.sandbox or sender.sandbox, now - PERSON_CAP_PERIOD),
    )


def outlives(message: OutreachMessage, enrolment: Enrolment) -> bool:
    """Whether the message may leave as far as its cadence goes; an answer, or a second channel, comes after it."""
    return message.kind in ("reply", "second_channel") or enrolment.state in (*LIVE_ENROLMENTS, "finished")


def is_silenced(db: Session, message: OutreachMessage) -> bool:
    """Whether the person asked to be left alone; one who wrote again may be answered where they wrote."""
    keys = people.keys_of(message)
    address = message.email_key if message.channel == "email" else message.phone_key
    if address is not None and people.is_dead(db, address):
        return True
    if not people.asked_to_be_left_alone(db, keys):
        return False
    return not (message.kind == "reply" and people.may_be_answered(db, keys, message.channel))


def inbound_of(db: Session, message: OutreachMessage, theirs: ColumnElement[bool]) -> Inbound:
    """What the person wrote since the text was written, from any address and on any channel.

    What nobody has understood yet counts however old it is. In the very same instant counts as since. A person's
    own answer is to what they read, so only what was heard after it counts.
    """
    since = message.edited_at or message.drafted_at or message.created_at
    unsettled = and_(or_(Response.label.is_(None), Response.label == "unclear"), Response.state != "handled")
    counted = Response.created_at > since if message.kind == "reply" else or_(Response.created_at >= since, unsettled)
    heard = db.execute(
        select(Response.label, Response.state).where(
            theirs,
            Response.kind == "message",
            counted,
            or_(Response.label.is_(None), Response.label.not_in(MACHINE)),
        )
    ).all()
    if any(label in HUMAN for label, _ in heard):
        return "human"
    if any(state == "unread" for _, state in heard):
        return "unread"
    # The model reads only what is known to be of a lead.
    if any(label == "unclear" or state == "unmatched" for label, state in heard):
        return "unclear"
    return "unclassified" if heard else "none"


def relationship_of(db: Session, message: OutreachMessage) -> str | None:
    """Whether the company became a client, or has a deal open, since the lead was found."""
    card = hunter.lead_card(db, message.lead_id)
    if card is None:
        return None
    return crm.relationship(db, CompanyKeys.of(card.cnpj, card.domain, card.phone, card.email))


def switches_on(db: Session, channel: str, author: str) -> tuple[str, ...]:
    """Reasons of the kill switches that are on for this channel and author."""
    scopes = ["all", f"channel:{channel}", *(["agent:sdr"] if author == "agent" else [])]
    return tuple(
        db.scalars(
            select(KillSwitch.reason)
            .where(KillSwitch.off_at.is_(None), KillSwitch.scope.in_(scopes))
            .order_by(KillSwitch.id)
        )
    )


def left_today(db: Session, sender: Sender, now: datetime) -> int:
    """How many messages really left this sender on its own calendar day."""
    start, end = day_bounds(now, sender.time_zone)
    counted = select(func.count()).where(
        OutreachMessage.sender_id == sender.id, OutreachMessage.left_at >= start, OutreachMessage.left_at < end
    )
    return db.scalar(counted) or 0


def left_to(db: Session, keys: list[str], sandbox: bool, since: datetime) -> tuple[datetime, ...]:
    """When messages left to this person, from any campaign, channel and sender."""
    moments = db.scalars(
        select(OutreachMessage.left_at).where(
            and_(people.written_to(OutreachMessage, keys), OutreachMessage.left_at > since - timedelta(seconds=1)),
            OutreachMessage.sandbox.is_(sandbox),
            OutreachMessage.kind != "reply",
        )
    )
    return tuple(moment for moment in moments if moment is not None)
