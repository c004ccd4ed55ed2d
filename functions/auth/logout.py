"""Signing out: none of the sign-in's tokens is worth anything afterwards."""

from somos.mesh import Context, http
from somos.modules.auth.actions.sessions import end_session, reachable
from somos.modules.auth.schemas import RefreshToken


@http.post("/api/v1/auth/logout", allow="anyone", replays=False)
def logout(sent: RefreshToken, ctx: Context) -> None:
    """Holding the refresh token is the right to end it, also when the access token is already over."""
    with reachable():
        end_session(ctx, sent.refresh_token)
