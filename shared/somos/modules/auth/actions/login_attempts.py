"""How often a password may be tried, so that whoever guesses is slowed down and the account's owner is not.

Tries are counted per account and place: five wrong passwords from one place hold up nobody elsewhere. Guessing at one
account from many places is slowed down as a whole, but not for places where its owner signed in before. Redis counts;
while it is away nobody can sign in, so nothing is tried either.
"""

import hashlib
import ipaddress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from somos.policy.limits import Limit

if TYPE_CHECKING:
    from redis import Redis

HERE: Final = Limit("login", 5, 60)
# Several people of one office share a place.
FROM_ONE_PLACE: Final = Limit("login-from", 20, 60)
FROM_NEW_PLACES: Final = Limit("login-new-places", 20, 600)
_KNOWN_FOR: Final = timedelta(days=90)
_HOME: Final = 64


class Guesses:
    """The tries at one account from one place. Redis is told hashes: it needs to count, not to know."""

    def __init__(self, redis: "Redis", email: str, address: str) -> None:
        self._redis: Any = redis
        self._account = _hash(email)
        self._place = _hash(place_of(address))
        self._known = f"somos:signed-in-at:{self._account}:{self._place}"

    def count(self, now: datetime) -> int:
        """Count a try; 0 when it may go on, else the whole seconds to wait. Raises RedisError."""
        limits = [(HERE, f"{self._account}:{self._place}"), (FROM_ONE_PLACE, self._place)]
        if not self._redis.exists(self._known):
            limits.append((FROM_NEW_PLACES, self._account))
        return next((wait for limit, subject in limits if (wait := limit.hit(self._redis, subject, now))), 0)

    def succeeded(self) -> None:
        """The owner signed in here: others' guessing does not hold them up here any more."""
        self._redis.set(self._known, "1", ex=_KNOWN_FOR)


def place_of(address: str) -> str:
    """What one guesser can hardly have many of: an IPv4 address, or the network that an IPv6 line is given."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, _HOME), strict=False))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
