"""What the pre-flight checks look at, read from the database under the locks of person and sender."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from somos.modules.crm import queries as crm
from somos.modules.hunter import queries as hunter
from somos.modules.sdr import people
from somos.modules.sdr.absences import back_at
from somos.modules.sdr.asking import hash_of
from somos.modules.sdr.bouncing import paused_until
from somos.modules.sdr.rules.guards import CHECKS, Check, Inbound, Preflight, relationship
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


def facts(
    db: Session, message: OutreachMessage, sender: Sender, now: datetime, checks: Iterable[Check] = CHECKS
) -> Preflight:
    """Everything these checks need of one message, as it stands now."""
    standing = db.execute(_standing(message, sender, now)).one()
    lead = hunter.lead_standing(db, message.lead_id)
    conversational = message.kind == "reply"
    theirs = people.heard_from(message)
    related = lead is not None and not conversational and relationship in checks
    return Preflight(
        now=now,
        channel=message.channel,
        conversational=conversational,
        content_hash=hash_of(message, sender),
        approved_hash=standing.approved_hash if standing.approval_state == "approved" else None,
        approved_by_person=standing.approved_by is not None,
        approval_expires_at=standing.approval_expires_at,
        suppressed=standing.silenced,
        inbound=_inbound(db, message, theirs),
        lead_state=lead.state if lead else None,
        relationship=crm.relationship(db, lead.keys) if lead and related else None,
        stopped_enrolment=None if _outlives(message, standing.enrolment_state) else standing.enrolment_state,
        campaign_state=standing.campaign_state,
        switches=tuple(standing.switches),
        health=sender.health if sender.active else "inactive",
        health_until=sender.health_until,
        window=Window(sender.opens, sender.closes, frozenset(sender.weekdays), sender.skip_holidays),
        zone=message.zone,
        sender_zone=sender.time_zone,
        ramp=Ramp(sender.daily_cap, sender.ramp_start, sender.ramp_step, sender.ramp_since),
        sender_left_today=standing.left_today,
        away_until=back_at(db, theirs, message.zone, now),
        address_paused_until=paused_until(db, message),
        person_left=tuple(standing.left_to_person),
    )


def _standing(message: OutreachMessage, sender: Sender, now: datetime) -> Select[Any]:
    """What our own tables say of the message, its person and its sender."""
    approval = Approval.id == message.approval_id
    return select(
        _of(Approval.state, approval).label("approval_state"),
        _of(Approval.subject_hash, approval).label("approved_hash"),
        _of(Approval.decided_by, approval).label("approved_by"),
        _of(Approval.expires_at, approval).label("approval_expires_at"),
        _of(OutreachCampaign.state, OutreachCampaign.id == message.campaign_id).label("campaign_state"),
        _of(Enrolment.state, Enrolment.id == message.enrolment_id).label("enrolment_state"),
        _silenced(message).label("silenced"),
        _all(KillSwitch.reason, *_switches(message.channel, message.author), by=KillSwitch.id).label("switches"),
        _left_today(sender, now).label("left_today"),
        _all(OutreachMessage.left_at, *_left_to_person(message, sender, now)).label("left_to_person"),
    )


def _of(column: InstrumentedAttribute[Any], condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return select(column).where(condition).scalar_subquery()


def _all(column: InstrumentedAttribute[Any], *conditions: ColumnElement[bool], by: Any = None) -> ColumnElement[Any]:
    return func.array(select(column).where(*conditions).order_by(by).scalar_subquery())


def _silenced(message: OutreachMessage) -> ColumnElement[bool]:
    """Whether the person asked to be left alone; one who wrote again may be answered where they wrote."""
    keys = people.keys_of(message)
    address = message.email_key if message.channel == "email" else message.phone_key
    left_alone = people.left_alone(keys)
    if message.kind == "reply":
        left_alone = and_(left_alone, not_(people.answerable(keys, message.channel)))
    return or_(people.dead(address), left_alone) if address is not None else left_alone


def _inbound(db: Session, message: OutreachMessage, theirs: ColumnElement[bool]) -> Inbound:
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


def _left_today(sender: Sender, now: datetime) -> ColumnElement[int]:
    """How many messages really left this sender on its own calendar day."""
    start, end = day_bounds(now, sender.time_zone)
    m = OutreachMessage
    return select(func.count()).where(m.sender_id == sender.id, m.left_at >= start, m.left_at < end).scalar_subquery()


def _left_to_person(message: OutreachMessage, sender: Sender, now: datetime) -> Iterator[ColumnElement[bool]]:
    """What left to this person, from any campaign, channel and sender."""
    yield people.written_to(OutreachMessage, people.keys_of(message))
    yield OutreachMessage.left_at > now - PERSON_CAP_PERIOD - timedelta(seconds=1)
    yield OutreachMessage.sandbox.is_(message.sandbox or sender.sandbox)
    yield OutreachMessage.kind != "reply"


def switches_on(db: Session, channel: str, author: str) -> tuple[str, ...]:
    """Reasons of the kill switches that are on for this channel and author."""
    return tuple(db.scalars(select(KillSwitch.reason).where(*_switches(channel, author)).order_by(KillSwitch.id)))


def _switches(channel: str, author: str) -> Iterator[ColumnElement[bool]]:
    yield KillSwitch.off_at.is_(None)
    yield KillSwitch.scope.in_(["all", f"channel:{channel}", *(["agent:sdr"] if author == "agent" else [])])


def _outlives(message: OutreachMessage, enrolment_state: str | None) -> bool:
    """Whether the message may leave as far as its cadence goes; an answer, or a second channel, comes after it."""
    return message.kind in ("reply", "second_channel") or enrolment_state in (*LIVE_ENROLMENTS, "finished")
