"""The accounts as they stand: what the mesh asks before it lets somebody in (`somos.policy.identity.Accounts`)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.modules.auth import rules
from somos.modules.auth.queries import by_email
from somos.modules.auth.tables import ApiKey, EndedSession, User
from somos.policy.ended import LOOK_BACK, Ended, is_over
from somos.policy.keys import hash_of
from somos.policy.passwords import hash_password
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role

_USE_NOTED_EVERY: Final = timedelta(hours=1)
_KEPT: Final = timedelta(days=1)


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


def fresh(db: Session, principal: Principal, now: datetime) -> Principal | None:  # noqa: ARG001
    """The person with the role of this moment; None once the account is closed or this sign-in was ended."""
    user = db.get(User, principal.id)
    if user is None or not user.active:
        return None
    if principal.issued_at is None or is_over(principal.issued_at, user.sessions_valid_from):
        return None
    if db.scalar(select(EndedSession.id).where(EndedSession.session_id == principal.session_id)) is not None:
        return None
    return replace(principal, role=Role(user.role), name=user.name, client_company_id=user.client_company_id)


def ended(db: Session, now: datetime) -> Ended:
    """Every sign-in that ended while one of its access tokens may still be good."""
    since = now - LOOK_BACK
    people = select(User.id, User.sessions_valid_from).where(User.sessions_valid_from > since)
    sessions = select(EndedSession.session_id).where(EndedSession.ended_at > since)
    return Ended(
        sessions=frozenset(db.scalars(sessions)),
        people={user_id: moment for user_id, moment in db.execute(people) if moment is not None},
    )


def end_session(db: Session, user_id: UUID, session_id: str, now: datetime) -> None:
    """One sign-in is over, also for the access tokens it holds; those of long ago are forgotten."""
    db.execute(delete(EndedSession).where(EndedSession.ended_at < now - _KEPT))
    over = insert(EndedSession).values(session_id=session_id, user_id=user_id, ended_at=now)
    db.execute(over.on_conflict_do_nothing(index_elements=[EndedSession.session_id]))


def principal_of(user: User, session_id: str) -> Principal:
    """The person that an account signs in."""
    return Principal(
        id=user.id,
        role=Role(user.role),
        kind=Kind.user,
        name=user.name,
        session_id=session_id,
        client_company_id=user.client_company_id,
    )


def ensure_account(
    db: Session,
    *,
    email: str,
    name: str,
    role: Role,
    password: str,
    cost: int,
    client_company_id: UUID | None = None,
) -> User:
    """The account of that address; opened when there is none, otherwise left exactly as it is."""
    user = by_email(db, email)
    if user is None:
        rules.check_standing(rules.Standing(role, True, client_company_id))
        user = User(
            email=email.strip().lower(),
            name=name,
            role=role.value,
            password_hash=hash_password(password, cost),
            client_company_id=client_company_id,
        )
        db.add(user)
        db.flush()
    return user


def _note_use(db: Session, key_id: UUID, now: datetime) -> None:
    stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - _USE_NOTED_EVERY)
    db.execute(update(ApiKey).where(ApiKey.id == key_id, stale).values(last_used_at=now))
