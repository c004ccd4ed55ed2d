"""Signing in and out: what login, refresh and a change of password share."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from redis import RedisError

from somos.mesh.bell import announcement
from somos.mesh.context import Context
from somos.mesh.problems import Invalid, Unavailable
from somos.modules.auth import accounts
from somos.modules.auth.accounts import principal_of
from somos.modules.auth.schemas import SignedIn, UserView
from somos.modules.auth.tables import User
from somos.policy import ended
from somos.policy.passwords import WeakPassword, check_strength, hash_password
from somos.policy.sessions import ACCESS_TTL, ENDED, Issued, RefreshReused, Sessions
from somos.policy.tokens import TokenSigner


def signed_in(ctx: Context, user: User, issued: Issued) -> SignedIn:
    """The pair of tokens that continues a sign-in."""
    signer = _signer(ctx.settings.jwt_private_key)
    return SignedIn(
        access_token=signer.access(principal_of(user, issued.session_id), ctx.now),
        expires_at=ctx.now + ACCESS_TTL,
        refresh_token=issued.token,
        refresh_expires_at=issued.expires,
        user=UserView.model_validate(user),
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
    found = sessions(ctx).of(token)
    if found is None:
        return
    user_id, session_id = found
    accounts.end_session(ctx.db, user_id, session_id, ctx.now)
    ctx.runtime.ended.look_again()
    ctx.notify(ENDED, {"session": session_id}, to=user_id)
    ended.note(ctx.runtime.redis, ctx.now, user_id, session_id)
    sessions(ctx).end(token)


def end_copied_session(ctx: Context, reused: RefreshReused) -> None:
    """End what a stolen token continues. In a transaction of its own: the refusal undoes the request's."""
    ctx.read(accounts.end_session, reused.user_id, reused.session_id, ctx.now)
    ctx.runtime.ended.look_again()
    ctx.runtime.bell.tell([announcement(ENDED, {"session": reused.session_id}, ctx.now, user=reused.user_id)])
    with reachable():
        ended.note(ctx.runtime.redis, ctx.now, reused.user_id, reused.session_id)


def end_sessions(ctx: Context, user: User) -> None:
    """End every sign-in of the account, now and for good.

    PostgreSQL holds the moment, and whoever lets somebody in asks it; Redis only tidies up, so it may be away.
    """
    user.sessions_valid_from = ctx.now
    ctx.runtime.ended.look_again()
    ctx.notify(ENDED, {}, to=user.id)
    try:
        ended.note(ctx.runtime.redis, ctx.now, user.id)
        sessions(ctx).end_all(user.id)
    except RedisError as error:
        ctx.log.warning("sessions-not-tidied", user_id=user.id, error=type(error).__name__)


def hashed(ctx: Context, password: str, *, field: str, about: tuple[str, ...]) -> str:
    """The hash of a chosen password, or Invalid with the reason."""
    try:
        check_strength(password, about=about)
    except WeakPassword as error:
        raise Invalid(str(error), field=field) from None
    return hash_password(password, ctx.settings.bcrypt_cost)


@lru_cache(maxsize=2)
def _signer(private_key: str) -> TokenSigner:
    return TokenSigner(private_key)
