"""The accounts as they stand: what the mesh asks before it lets somebody in (`somos.policy.identity.Accounts`)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from somos.modules.auth.tables import ApiKey, EndedSession, User
from somos.policy.ended_sessions import LOOK_BACK, EndedSessions, is_over
from somos.policy.keys import hash_of
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role

_USE_NOTED_EVERY: Final = timedelta(hours=1)


def of_key(db: Session, secret: str, now: datetime) -> Principal | None:
    """Who a key speaks for, unless it is unknown, revoked or expired."""
    alive = select(ApiKey).where(
        ApiKey.key_hash == hash_of(secret), ApiKey.revoked_at.is_(None), ApiKey.expires_at > now
    )
    key = db.scalars(alive).first()
    if key is None:
        return None
    _note_use(db, key.id, now)
    return Principal(
        id=key.id,
        role=Role.Agente_IA,
        kind=Kind.api_key,
        name=key.name,
        scopes=frozenset(key.scopes),
        per_minute=key.per_minute,
    )


_STANDING: Final = select(
    User.active,
    User.role,
    User.name,
    User.client_company_id,
    User.sessions_valid_from,
    exists().where(EndedSession.session_id == bindparam("session")).label("ended"),
).where(User.id == bindparam("id"))


def fresh(db: Session, principal: Principal, now: datetime) -> Principal | None:  # noqa: ARG001
    """The person with the role of this moment; None once the account is closed or this sign-in was ended."""
    user = db.execute(_STANDING, {"id": principal.id, "session": principal.session_id}).first()
    if user is None or not user.active or user.ended:
        return None
    if principal.issued_at is None or is_over(principal.issued_at, user.sessions_valid_from):
        return None
    return replace(principal, role=Role(user.role), name=user.name, client_company_id=user.client_company_id)


def ended(db: Session, now: datetime) -> EndedSessions:
    """Every sign-in that ended while one of its access tokens may still be good."""
    since = now - LOOK_BACK
    people = select(User.id, User.sessions_valid_from).where(User.sessions_valid_from > since)
    sessions = select(EndedSession.session_id).where(EndedSession.ended_at > since)
    return EndedSessions(
        sessions=frozenset(db.scalars(sessions)),
        people={user_id: moment for user_id, moment in db.execute(people) if moment is not None},
    )


def _note_use(db: Session, key_id: UUID, now: datetime) -> None:
    stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - _USE_NOTED_EVERY)
    db.execute(update(ApiKey).where(ApiKey.id == key_id, stale).values(last_used_at=now))
