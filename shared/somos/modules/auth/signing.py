"""Signing in and out: what login, refresh and a change of password share."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from redis import RedisError

from somos.mesh.context import Context
from somos.mesh.problems import Invalid, Unavailable
from somos.modules.auth.accounts import principal_of
from somos.modules.auth.schemas import SignedIn, UserView
from somos.modules.auth.tables import User
from somos.policy.passwords import WeakPassword, check_strength, hash_password
from somos.policy.sessions import ENDED, Issued, Sessions
from somos.policy.tokens import ACCESS_TTL, TokenSigner


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


def end_sessions(ctx: Context, user: User) -> None:
    """End every sign-in of the account, now and for good.

    PostgreSQL holds the moment, and refresh and the fresh check ask it; Redis only tidies up, so it may be away.
    """
    user.sessions_valid_from = ctx.now
    ctx.notify(ENDED, {}, to=user.id)
    try:
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
