"""Signing out: the sign-in's refresh tokens are worth nothing afterwards."""

from somos.mesh import Context, http
from somos.modules.auth.schemas import RefreshToken
from somos.modules.auth.signing import reachable, sessions


@http.post("/api/v1/auth/logout", allow="anyone", replays=False)
def logout(held: RefreshToken, ctx: Context) -> None:
    """Holding the refresh token is the right to end it, also when the access token is already over."""
    with reachable():
        sessions(ctx).end(held.refresh_token)
