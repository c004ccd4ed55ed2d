"""A new pair of tokens for a refresh token, once."""

from somos.mesh import Context, Unauthorised, http
from somos.modules.auth.actions.sessions import end_copied_session, reachable, sessions, signed_in
from somos.modules.auth.schemas import RefreshToken, SignedIn
from somos.modules.auth.tables import User
from somos.policy.ended_sessions import is_over
from somos.policy.sessions import RefreshRefused, RefreshReused


@http.post("/api/v1/auth/refresh", allow="anyone", status=200, replays=False)
def refresh(sent: RefreshToken, ctx: Context) -> SignedIn:
    """A token that was already exchanged means that someone holds a copy: the whole sign-in ends."""
    try:
        with reachable():
            issued = sessions(ctx).rotate(sent.refresh_token, ctx.now)
    except RefreshReused as reused:
        ctx.log.warning("refresh_token_reused", user_id=reused.user_id, session_id=reused.session_id)
        end_copied_session(ctx, reused)
        raise _over() from None
    except RefreshRefused:
        raise _over() from None

    # Waits for a change of role or password that is being made: a token made beside it would hold the old role.
    user = ctx.db.get(User, issued.user_id, with_for_update={"read": True})
    if user is None or not user.active or is_over(issued.born, user.sessions_valid_from):
        sessions(ctx).end(issued.token)
        raise _over()
    return signed_in(ctx, user, issued)


def _over() -> Unauthorised:
    return Unauthorised("Sua sessão terminou; entre de novo", code="session-over")
