"""Accounts of people and API keys of programs."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, one_of
from somos.policy.roles import HUMAN_ROLES
from somos.policy.scopes import Everyone, Own


class User(Table, Versioned):
    """A person who signs in. Accounts are closed, never deleted: what they did keeps its author."""

    __tablename__ = "users"
    __scope__ = Own("id", writers="user.manage")
    __redact__: ClassVar[frozenset[str]] = frozenset({"password_hash"})

    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    # Whose portal a `Cliente` sees; a company of the CRM, so no foreign key.
    client_company_id: Mapped[UUID | None]
    # Sign-ins and tokens from before this moment are over, whatever Redis remembers.
    sessions_valid_from: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_users_email", text("lower(email)"), unique=True),
        one_of("role", HUMAN_ROLES),
        CheckConstraint("(role = 'Cliente') = (client_company_id is not null)", name="client_company"),
        {"schema": "auth"},
    )


class EndedSession(Table):
    """A sign-in that was signed out of, or of which a copy turned up; its access tokens open nothing any more."""

    __tablename__ = "ended_sessions"
    __table_args__ = (Index("ix_ended_sessions_ended_at", "ended_at"), {"schema": "auth"})
    __scope__ = Everyone(readers="user.manage", writers="user.manage")

    session_id: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[UUID]
    ended_at: Mapped[datetime]


class ApiKey(Table):
    """A program's way in, as `Agente_IA`, narrowed to its scopes. Revoked, never deleted."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("per_minute between 1 and 6000", name="per_minute"),
        {"schema": "auth"},
    )
    __scope__ = Everyone(readers="api_key.manage", writers="api_key.manage")
    __redact__: ClassVar[frozenset[str]] = frozenset({"key_hash"})

    name: Mapped[str]
    # The beginning of the key, by which its owner recognises it.
    hint: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[Any]]
    per_minute: Mapped[int]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    # Exact to the hour: a write per use would be the price of more.
    last_used_at: Mapped[datetime | None]
    created_by: Mapped[UUID]
