"""Who is at the other end of a socket, and until when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import jwt

from somos.mesh import clock
from somos.policy.tokens import InvalidToken, TokenVerifier


class Refused(Exception):
    """The token says nobody we know, or its time is over; the text is for a person."""


@dataclass(frozen=True)
class Ticket:
    """What an access token proves: a principal, its role, and when that stops being true (epoch seconds).

    `session` is the sign-in that the token belongs to, `issued` when it was made.
    """

    user: str
    role: str
    expires: float
    session: str | None
    issued: datetime | None


Verify = Callable[[str], Ticket]


def from_tokens(public_key: str) -> Verify:
    """Tickets from the access tokens that the auth functions sign."""
    verifier = TokenVerifier(public_key)

    def verify(token: str) -> Ticket:
        try:
            principal = verifier.verify(token, clock.now())
        except InvalidToken as error:
            raise Refused("entre de novo: o token não é válido ou expirou") from error
        expires = jwt.decode(token, options={"verify_signature": False})["exp"]  # checked just above
        return Ticket(
            str(principal.id), principal.role.value, float(expires), principal.session_id, principal.issued_at
        )

    return verify
