"""What the pre-flight checks look at, read from the database under the locks of person and sender."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Boolean,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    exists,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from somos.kernel.business_days import holidays_of
from somos.modules.hunter.queries import leads as hunter
from somos.modules.relations.queries import parties as relations
from somos.modules.sdr.queries.approvals import hash_of
from somos.modules.sdr.queries.messages import Letter, address_paused_until
from somos.modules.sdr.queries.people import WROTE, keys_of, values_of_person
from somos.modules.sdr.queries.responses import back_at
from somos.modules.sdr.queries.senders import is_on, scopes_of
from somos.modules.sdr.rules import guards
from somos.modules.sdr.rules.guards import CHECKS, Check, Inbound, Preflight, Refusal, relationship
from somos.modules.sdr.rules.inbound import HUMAN, MACHINE
from somos.modules.sdr.rules.machines import LIVE_ENROLMENTS
from somos.modules.sdr.rules.windows import PERSON_CAP_PERIOD, Ramp, Window, day_bounds
from somos.modules.sdr.tables.approvals import Approval
from somos.modules.sdr.tables.campaigns import OutreachCampaign
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.kill_switches import KillSwitch
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.responses import Response
from somos.modules.sdr.tables.senders import Sender
from somos.modules.sdr.tables.suppressions import Reconsent, Suppression


def facts(
    db: Session, message: OutreachMessage, sender: Sender, now: datetime, checks: Iterable[Check] = CHECKS
) -> Preflight:
    """Everything these checks need of one message, as it stands now."""
    standing = db.execute(_standing(), _values(message, sender, now)).one()
    lead = hunter.lead_standing(db, message.lead_id)
    conversational = message.kind == "reply"
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
        inbound=_inbound(db, message),
        lead_state=lead.state if lead else None,
        relationship=relations.relationship(db, lead.keys) if lead and related else None,
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
        away_until=back_at(db, message, message.zone, now),
        address_paused_until=address_paused_until(db, message),
        person_left=tuple(standing.left_to_person),
    )


@cache
def _standing() -> Select[Any]:
    """What our own tables say of a message, its person and its sender; said once, asked of every message."""
    m = OutreachMessage
    approval = Approval.id == bindparam("approval")
    keys = any_(bindparam("keys", type_=ARRAY(Text)))
    to_person = and_(
        or_(m.phone_key == keys, m.email_key == keys),
        m.left_at > bindparam("person_since"),
        m.sandbox == bindparam("sandbox"),
        m.kind != "reply",
    )
    on_this_day = and_(m.sender_id == bindparam("sender"), m.left_at >= bindparam("day"), m.left_at < bindparam("next"))
    return select(
        _of(Approval.state, approval).label("approval_state"),
        _of(Approval.subject_hash, approval).label("approved_hash"),
        _of(Approval.decided_by, approval).label("approved_by"),
        _of(Approval.expires_at, approval).label("approval_expires_at"),
        _of(OutreachCampaign.state, OutreachCampaign.id == bindparam("campaign")).label("campaign_state"),
        _of(Enrolment.state, Enrolment.id == bindparam("enrolment")).label("enrolment_state"),
        _silenced(keys).label("silenced"),
        _all(KillSwitch.reason, is_on(any_(bindparam("scopes", type_=ARRAY(Text)))), by=KillSwitch.id).label(
            "switches"
        ),
        select(func.count()).where(on_this_day).scalar_subquery().label("left_today"),
        _all(m.left_at, to_person).label("left_to_person"),
    )


def _silenced(keys: Any) -> ColumnElement[bool]:
    """Whether the person asked to be left alone; one who wrote again may be answered where they wrote."""
    dead = exists().where(Suppression.key == bindparam("address"), Suppression.reach == "address")
    left_alone = exists().where(Suppression.key == keys, Suppression.reach == "person")
    wrote_again = exists().where(
        Reconsent.key == keys, Reconsent.channel == bindparam("channel"), Reconsent.revoked_at.is_(None)
    )
    return or_(dead, and_(left_alone, not_(and_(bindparam("is_reply", type_=Boolean), wrote_again))))


def _values(message: OutreachMessage, sender: Sender, now: datetime) -> dict[str, Any]:
    """The values that go into `_standing` for one message."""
    day, following = day_bounds(now, sender.time_zone)
    return {
        "approval": message.approval_id,
        "campaign": message.campaign_id,
        "enrolment": message.enrolment_id,
        "keys": keys_of(message),
        "address": message.email_key if message.channel == "email" else message.phone_key,
        "channel": message.channel,
        "is_reply": message.kind == "reply",
        "scopes": scopes_of(message.channel, message.author),
        "sender": sender.id,
        "day": day,
        "next": following,
        "person_since": now - PERSON_CAP_PERIOD - timedelta(seconds=1),
        "sandbox": message.sandbox or sender.sandbox,
    }


def _of(column: InstrumentedAttribute[Any], condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return select(column).where(condition).scalar_subquery()


def _all(column: InstrumentedAttribute[Any], condition: ColumnElement[bool], by: Any = None) -> ColumnElement[Any]:
    return func.array(select(column).where(condition).order_by(by).scalar_subquery())


@cache
def _written() -> Select[Any, Any]:
    """What a person wrote since a text was written, from any address and on any channel.

    What nobody has understood yet counts however old it is. In the very same instant counts as since. A person's
    own answer is to what they read, so only what arrived after it counts.
    """
    since: BindParameter[Any] = bindparam("since")
    is_reply = bindparam("is_reply", type_=Boolean)
    unsettled = and_(or_(Response.label.is_(None), Response.label == "unclear"), Response.state != "handled")
    counted = or_(Response.created_at > since, and_(not_(is_reply), or_(Response.created_at == since, unsettled)))
    return select(Response.label, Response.state).where(
        WROTE, Response.kind == "message", counted, or_(Response.label.is_(None), Response.label.not_in(MACHINE))
    )


def _inbound(db: Session, message: OutreachMessage) -> Inbound:
    since = message.edited_at or message.drafted_at or message.created_at
    values = {**values_of_person(message), "since": since, "is_reply": message.kind == "reply"}
    responses = db.execute(_written(), values).all()
    if any(label in HUMAN for label, _ in responses):
        return "human"
    if any(state == "unread" for _, state in responses):
        return "unread"
    # The model reads only what is known to be of a lead.
    if any(label == "unclear" or state == "unmatched" for label, state in responses):
        return "unclear"
    return "unclassified" if responses else "none"


def _outlives(message: OutreachMessage, enrolment_state: str | None) -> bool:
    """Whether the message may leave as far as its cadence goes; an answer, or a second channel, comes after it."""
    return message.kind in ("reply", "second_channel") or enrolment_state in (*LIVE_ENROLMENTS, "finished")


def last_refusals(db: Session, letter: Letter, now: datetime) -> list[Refusal]:
    """The guards that a moment can change, asked again."""
    message = db.get(OutreachMessage, letter.message_id, populate_existing=True)
    if message is None or message.state != "sending" or message.tries != letter.attempt:
        return [Refusal("claim", "A mensagem já não está em envio.", "cancel")]
    sender = db.get_one(Sender, message.sender_id, populate_existing=True)
    known = facts(db, message, sender, now, guards.LAST_CHECKS)
    holiday = holidays_of(message.uf or sender.uf)
    return [refusal for check in guards.LAST_CHECKS if (refusal := check(known, holiday))]
