"""How often something may be tried: exact within a window, counted in Redis, at the time the caller states."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from redis import Redis

# The times of the last permitted tries, newest first. A refused try is not counted, so waiting always helps.
_HIT: Final = """
local limit, window, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local oldest = redis.call('LINDEX', KEYS[1], limit - 1)
if oldest and now - tonumber(oldest) < window then
  return tostring(window - (now - tonumber(oldest)))
end
redis.call('LPUSH', KEYS[1], ARGV[3])
redis.call('LTRIM', KEYS[1], 0, limit - 1)
redis.call('EXPIRE', KEYS[1], math.ceil(window) + 60)
return '0'
"""


@dataclass(frozen=True)
class Limit:
    """At most `times` tries in any `seconds`."""

    name: str
    times: int
    seconds: int

    def hit(self, redis: "Redis", subject: str, now: datetime) -> int:
        """Count a try; 0 when it may go on, else the whole seconds to wait."""
        client: Any = redis
        key = f"somos:limit:{self.name}:{subject}"
        return math.ceil(float(client.eval(_HIT, 1, key, self.times, self.seconds, now.timestamp())))
