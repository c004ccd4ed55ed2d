"""Refresh tokens in Redis: seven days, rotated at each use; using a rotated one again ends the whole family.

A family is one sign-in on one device. Redis holds hashes only. When Redis forgets, people sign in again and
nothing else happens; what ended a person's sessions (`users.sessions_valid_from`) stands in PostgreSQL and is
checked at each rotation by the auth function. What becomes of their access tokens is for `ended` to say.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

if TYPE_CHECKING:
    from redis import Redis

# What a person's screens are told when their sign-ins end; the hub lets them go.
ENDED: Final = "session.ended"
ACCESS_TTL: Final = timedelta(minutes=15)
REFRESH_TTL: Final = timedelta(days=7)
# However often it is renewed, a sign-in ends after this.
FAMILY_TTL: Final = timedelta(days=30)
_PREFIX: Final = "somos:session:"
# Longer than any moment in which a clock may be behind; Redis only tidies up, the times are ours.
_TIDY: Final = 86_400

_OPEN: Final = """
redis.call('HSET', KEYS[1], 'user', ARGV[1], 'born', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('HSET', KEYS[2], 'family', ARGV[3], 'user', ARGV[1], 'state', 'active', 'expires', ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('SADD', KEYS[3], ARGV[3])
redis.call('EXPIRE', KEYS[3], ARGV[6])
"""

# The whole exchange is one script, so of two who present the same token exactly one is given the next.
_ROTATE: Final = """
local token = redis.call('HMGET', KEYS[1], 'family', 'state', 'expires')
if not token[1] then return {'unknown'} end
local family_key = ARGV[1] .. 'family:' .. token[1]
local family = redis.call('HMGET', family_key, 'user', 'born')
if not family[1] then return {'ended'} end
if token[2] ~= 'active' then
  redis.call('DEL', family_key)
  redis.call('SREM', ARGV[1] .. 'user:' .. family[1], token[1])
  return {'reused', family[1], token[1]}
end
local now = tonumber(ARGV[2])
if now >= tonumber(token[3]) or now >= tonumber(family[2]) + tonumber(ARGV[4]) then return {'expired'} end
redis.call('HSET', KEYS[1], 'state', 'rotated')
redis.call('HSET', KEYS[2], 'family', token[1], 'user', family[1], 'state', 'active', 'expires', ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('EXPIRE', family_key, ARGV[5])
redis.call('EXPIRE', ARGV[1] .. 'user:' .. family[1], ARGV[6])
return {'ok', family[1], token[1], family[2]}
"""

_END: Final = """
local token = redis.call('HMGET', KEYS[1], 'family', 'user')
if not token[1] then return end
redis.call('DEL', ARGV[1] .. 'family:' .. token[1])
if token[2] then redis.call('SREM', ARGV[1] .. 'user:' .. token[2], token[1]) end
"""

_END_ALL: Final = """
local families = redis.call('SMEMBERS', KEYS[1])
for _, family in ipairs(families) do redis.call('DEL', ARGV[1] .. 'family:' .. family) end
redis.call('DEL', KEYS[1])
return #families
"""


class RefreshRefused(Exception):
    """The refresh token buys nothing."""


class RefreshReused(RefreshRefused):
    """A token that was already exchanged came back: someone holds a copy. The family is ended."""

    def __init__(self, user_id: UUID, session_id: str) -> None:
        super().__init__("refresh token reused")
        self.user_id = user_id
        self.session_id = session_id


@dataclass(frozen=True)
class Issued:
    """A refresh token to hand over, and the sign-in that it continues."""

    token: str
    user_id: UUID
    session_id: str
    born: datetime
    expires: datetime


class Sessions:
    """The families of every signed-in person."""

    def __init__(self, redis: "Redis") -> None:
        self._redis: Any = redis

    def open(self, user_id: UUID, now: datetime) -> Issued:
        """Begin a family: someone signed in."""
        issued = Issued(_new_token(), user_id, secrets.token_urlsafe(12), now, now + REFRESH_TTL)
        keys = [_family(issued.session_id), _token(issued.token), _user(user_id)]
        self._redis.eval(
            _OPEN,
            len(keys),
            *keys,
            str(user_id),
            now.timestamp(),
            issued.session_id,
            issued.expires.timestamp(),
            _tidy_after(REFRESH_TTL),
            _tidy_after(FAMILY_TTL),
        )
        return issued

    def rotate(self, token: str, now: datetime) -> Issued:
        """Exchange a token for the next one. RefreshReused ends the family; RefreshRefused for all else."""
        fresh, expires = _new_token(), now + REFRESH_TTL
        reply = self._redis.eval(
            _ROTATE,
            2,
            _token(token),
            _token(fresh),
            _PREFIX,
            now.timestamp(),
            expires.timestamp(),
            FAMILY_TTL.total_seconds(),
            _tidy_after(REFRESH_TTL),
            _tidy_after(FAMILY_TTL),
        )
        outcome, *rest = [_text(part) for part in reply]
        if outcome == "reused":
            raise RefreshReused(UUID(rest[0]), rest[1])
        if outcome != "ok":
            raise RefreshRefused(outcome)
        user, session_id, born = rest
        return Issued(fresh, UUID(user), session_id, datetime.fromtimestamp(float(born), UTC), expires)

    def of(self, token: str) -> tuple[UUID, str] | None:
        """Whose sign-in the token belongs to and its id, also after it ended; None for a token nobody knows."""
        user, family = self._redis.hmget(_token(token), "user", "family")
        return None if user is None or family is None else (UUID(_text(user)), _text(family))

    def end(self, token: str) -> None:
        """End the family that the token belongs to."""
        self._redis.eval(_END, 1, _token(token), _PREFIX)

    def end_all(self, user_id: UUID) -> int:
        """End every sign-in of a person; how many there were."""
        return int(self._redis.eval(_END_ALL, 1, _user(user_id), _PREFIX))


def _new_token() -> str:
    return f"rt_{secrets.token_urlsafe(32)}"


def _token(token: str) -> str:
    # 256 random bits need no slow hash, only one that cannot be turned back.
    return f"{_PREFIX}token:{hashlib.sha256(token.encode()).hexdigest()}"


def _family(session_id: str) -> str:
    return f"{_PREFIX}family:{session_id}"


def _user(user_id: UUID) -> str:
    return f"{_PREFIX}user:{user_id}"


def _tidy_after(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds()) + _TIDY


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
