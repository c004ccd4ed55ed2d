"""Signing in and out: what login, refresh and a change of password share."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from redis import RedisError
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.mesh.context import Context
from somos.mesh.notifier import announcement
from somos.mesh.problems import Unavailable
from somos.modules.auth.schemas import SignedIn, UserView
from somos.modules.auth.tables import EndedSession, User
from somos.policy import ended_sessions
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role
from somos.policy.sessions import ACCESS_TTL, ENDED, Issued, RefreshReused, Sessions
from somos.policy.tokens import TokenSigner

_KEPT: Final = timedelta(days=1)


def signed_in(ctx: Context, user: User, issued: Issued) -> SignedIn:
    """The pair of tokens that continues a sign-in."""
    signer = _signer(ctx.settings.jwt_private_key)
    return SignedIn(
        access_token=signer.access(_principal(user, issued.session_id), ctx.now),
        expires_at=ctx.now + ACCESS_TTL,
        refresh_token=issued.token,
        refresh_expires_at=issued.expires,
        user=ctx.show(user, UserView),
    )


def sessions(ctx: Context) -> Sessions:
    """The families of refresh tokens."""
    return Sessions(ctx.runtime.redis)


@contextmanager
def reachable() -> Iterator[None]:
    """Without Redis nobody can sign in or refresh: said plainly, to be tried again."""
    try:
        yield
    except RedisError as error:
        raise Unavailable(
            "Não é possível entrar agora; tente de novo em instantes", headers={"Retry-After": "5"}
        ) from error


def end_session(ctx: Context, token: str) -> None:
    """End the sign-in that a refresh token continues: for refreshing, for reading and for its open screens.

    PostgreSQL first: if the answer gets lost or Redis is away, the same token ends it when it is tried again.
    """
    session = sessions(ctx).of(token)
    if session is None:
        return
    user_id, session_id = session
    _write_end(ctx.db, user_id, session_id, ctx.now)
    ctx.runtime.ended.invalidate()
    ctx.notify(ENDED, {"session": session_id}, to=user_id)
    ended_sessions.note(ctx.runtime.redis, ctx.now, user_id, session_id)
    sessions(ctx).end(token)


def end_copied_session(ctx: Context, reused: RefreshReused) -> None:
    """End what a stolen token continues. In a transaction of its own: the refusal undoes the request's."""
    ctx.read(_write_end, reused.user_id, reused.session_id, ctx.now)
    ctx.runtime.ended.invalidate()
    ctx.runtime.notifier.publish([announcement(ENDED, {"session": reused.session_id}, ctx.now, user=reused.user_id)])
    with reachable():
        ended_sessions.note(ctx.runtime.redis, ctx.now, reused.user_id, reused.session_id)


def end_sessions(ctx: Context, user: User) -> None:
    """End every sign-in of the account, now and for good.

    PostgreSQL holds the moment, and whoever lets somebody in asks it; Redis only tidies up, so it may be away.
    """
    user.sessions_valid_from = ctx.now
    ctx.runtime.ended.invalidate()
    ctx.notify(ENDED, {}, to=user.id)
    try:
        ended_sessions.note(ctx.runtime.redis, ctx.now, user.id)
        sessions(ctx).end_all(user.id)
    except RedisError as error:
        ctx.log.warning("sessions_not_ended", user_id=user.id, error=type(error).__name__)


def _principal(user: User, session_id: str) -> Principal:
    """The person that an account signs in."""
    return Principal(
        id=user.id,
        role=Role(user.role),
        kind=Kind.user,
        name=user.name,
        session_id=session_id,
        client_company_id=user.client_company_id,
    )


@lru_cache(maxsize=2)
def _signer(private_key: str) -> TokenSigner:
    return TokenSigner(private_key)


def _write_end(db: Session, user_id: UUID, session_id: str, now: datetime) -> None:
    """One sign-in is over, also for the access tokens it holds; those of long ago are forgotten."""
    db.execute(delete(EndedSession).where(EndedSession.ended_at < now - _KEPT))
    over = insert(EndedSession).values(session_id=session_id, user_id=user_id, ended_at=now)
    db.execute(over.on_conflict_do_nothing(index_elements=[EndedSession.session_id]))
