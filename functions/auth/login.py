"""Signing in with e-mail and password."""

from sqlalchemy import update

from somos.mesh import Context, TooMany, Unauthorised, http
from somos.modules.auth import queries
from somos.modules.auth.actions.login_attempts import Guesses
from somos.modules.auth.actions.sessions import reachable, sessions, signed_in
from somos.modules.auth.schemas import Login, SignedIn
from somos.modules.auth.tables import User
from somos.policy.passwords import hash_password, is_outdated, verify_password


@http.post("/api/v1/auth/login", allow="anyone", status=200, replays=False)
def login(who: Login, ctx: Context) -> SignedIn:
    """A wrong password, an unknown address and a closed account look the same from outside."""
    email, password = who.email.strip().lower(), who.password.get_secret_value()
    guesses = Guesses(ctx.runtime.redis, email, ctx.address)
    with reachable():
        if wait := guesses.count(ctx.now):
            raise TooMany(headers={"Retry-After": str(wait)})

    # The password is checked outside the transaction: it is slow on purpose.
    known = ctx.read(queries.credentials, email)
    cost = ctx.settings.bcrypt_cost
    if not verify_password(password, known.password_hash if known else None, cost) or known is None:
        raise _refused(ctx)

    with reachable():
        issued = sessions(ctx).open(known.id, ctx.now)
    stronger = hash_password(password, cost) if is_outdated(known.password_hash, cost) else known.password_hash
    # Waits for a change of password or state that is being made, and then no longer matches.
    entered = ctx.db.scalars(
        update(User)
        .where(User.id == known.id, User.password_hash == known.password_hash, User.active)
        .values(last_login_at=ctx.now, password_hash=stronger)
        .returning(User)
    ).first()
    if entered is None:
        sessions(ctx).end(issued.token)
        raise _refused(ctx)
    with reachable():
        guesses.succeeded()
    return signed_in(ctx, entered, issued)


def _refused(ctx: Context) -> Unauthorised:
    ctx.log.warning("login_refused", address=ctx.address)
    return Unauthorised("E-mail ou senha incorretos", code="bad-credentials")
