"""Sign-ins that ended before their access tokens did: whoever accepts a token asks here as well.

PostgreSQL holds them (`auth.users.sessions_valid_from`, `auth.ended_sessions`), and functions read them there, at most
once a second per process. The hub has no database: for it the same few lines lie in Redis. When Redis forgets them or
is away, functions lose nothing, and what the hub may then let in receives announcements until its token is over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from .sessions import ACCESS_TTL

if TYPE_CHECKING:
    from redis import Redis

KEY: Final = "somos:ended"
# As long as a token of an ended sign-in may still be good, and more than clocks differ.
LOOK_BACK: Final = ACCESS_TTL + timedelta(minutes=5)
# A float of seconds, as tokens and Redis carry times, may be off by a microsecond.
_ROUNDING: Final = timedelta(milliseconds=1)


def is_over(begun: datetime, valid_from: datetime | None) -> bool:
    """Whether a sign-in or token from `begun` was ended since, by a new password or role."""
    return valid_from is not None and begun < valid_from - _ROUNDING


@dataclass(frozen=True)
class EndedSessions:
    """`sessions`: sign-ins that are over. `people`: since when a person's tokens count."""

    sessions: frozenset[str] = frozenset()
    people: Mapping[UUID, datetime] = field(default_factory=dict)

    def covers(self, user_id: UUID, session_id: str | None, issued_at: datetime | None) -> bool:
        """Whether a token of this sign-in, issued then, opens nothing any more."""
        if session_id in self.sessions:
            return True
        return issued_at is None or is_over(issued_at, self.people.get(user_id))


def note(redis: "Redis", now: datetime, user_id: UUID, session_id: str | None = None) -> None:
    """Tell the hub that one sign-in of a person is over, or all of them up to now."""
    client: Any = redis
    member = f"session {session_id}" if session_id else f"person {user_id} {now.timestamp()}"
    with client.pipeline() as pipeline:
        pipeline.zadd(KEY, {member: now.timestamp()})
        pipeline.zremrangebyscore(KEY, "-inf", (now - LOOK_BACK).timestamp())
        pipeline.expire(KEY, LOOK_BACK)
        pipeline.execute()


def noted(members: Iterable[bytes | str]) -> EndedSessions:
    """The members of KEY, read."""
    sessions: set[str] = set()
    people: dict[UUID, datetime] = {}
    for member in members:
        kind, _, value = (member.decode() if isinstance(member, bytes) else member).partition(" ")
        if kind == "session":
            sessions.add(value)
        else:
            who, since = value.split(" ")
            user_id, moment = UUID(who), datetime.fromtimestamp(float(since), UTC)
            people[user_id] = max(moment, people.get(user_id, moment))
    return EndedSessions(frozenset(sessions), people)
