"""Who is at the other end of a socket, and until when."""

from collections.abc import Callable
from dataclasses import dataclass


class Refused(Exception):
    """The token says nobody we know, or its time is over; the text is for a person."""


@dataclass(frozen=True)
class Ticket:
    """What an access token proves: a principal, its role, and when that stops being true (epoch seconds)."""

    user: str
    role: str
    expires: float


Verify = Callable[[str], Ticket]
