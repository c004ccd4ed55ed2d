"""What is asked of the accounts, also by other modules."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from somos.modules.auth.tables import User
from somos.policy.roles import Role


@dataclass(frozen=True)
class UserCard:
    """Who somebody is, for other modules: names on a board, owners to choose from."""

    id: UUID
    name: str
    email: str
    role: Role
    active: bool


@dataclass(frozen=True)
class Credentials:
    """What a password is checked against."""

    id: UUID
    password_hash: str
    active: bool


def user_card(db: Session, user_id: UUID) -> UserCard | None:
    """One account, or None."""
    user = db.get(User, user_id)
    return None if user is None else _card(user)


def credentials(db: Session, email: str) -> Credentials | None:
    """By e-mail, however it is capitalised."""
    user = by_email(db, email)
    return None if user is None else Credentials(user.id, user.password_hash, user.active)


def by_email(db: Session, email: str) -> User | None:
    """The account of an address."""
    return db.scalars(select(User).where(func.lower(User.email) == email.strip().lower())).first()


def sessions_valid_from(db: Session, user_id: UUID) -> datetime | None:
    """Since when the person's sign-ins count."""
    return db.scalar(select(User.sessions_valid_from).where(User.id == user_id))


def lock_admins(db: Session) -> set[UUID]:
    """The active Admins, locked in one order: two of them cannot demote each other at the same time."""
    rows = select(User.id).where(User.role == Role.Admin.value, User.active).order_by(User.id).with_for_update()
    return set(db.scalars(rows))


def _card(user: User) -> UserCard:
    return UserCard(user.id, user.name, user.email, Role(user.role), user.active)
