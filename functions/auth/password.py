"""Changing one's own password."""

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Invalid, NotFound, http
from somos.mesh.authorization import enforce_limit
from somos.modules.auth.actions.sessions import end_sessions, reachable, sessions, signed_in
from somos.modules.auth.actions.users import hashed
from somos.modules.auth.schemas import PasswordChange, SignedIn
from somos.modules.auth.tables import User
from somos.policy.limits import Limit
from somos.policy.passwords import verify_password

GUESSES = Limit("password", 5, 60)


@http.put("/api/v1/auth/password", allow="signed-in")
def password_change(change: PasswordChange, ctx: Context) -> SignedIn:
    """Every other sign-in of the person ends; this one goes on with the tokens of the answer."""
    if not ctx.principal.is_person:
        raise NotAllowed("Só pessoas têm senha; uma chave se troca por outra", code="not-a-person")
    enforce_limit(ctx.runtime, GUESSES, str(ctx.principal.id))
    # The matrix lets people read their account, not write it; this one write is theirs.
    with ctx.as_system() as db:
        user = db.get(User, ctx.principal.id, with_for_update=True)
        if user is None or not user.active:
            raise NotFound
        current, chosen = change.current_password.get_secret_value(), change.new_password.get_secret_value()
        if not verify_password(current, user.password_hash, ctx.settings.bcrypt_cost):
            raise Invalid("A senha atual não confere", field="current_password")
        password = hashed(ctx, chosen, field="new_password", about=(user.email, user.name))
        end_sessions(ctx, user)
        ctx.change(user, password_hash=password)
    with reachable():
        return signed_in(ctx, user, sessions(ctx).open(user.id, ctx.now))
