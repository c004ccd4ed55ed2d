"""Whether a provider may be called now: circuit breaker and rate limit, shared by all workers through Redis.

When Redis cannot be asked the gate is open: protecting a provider is never a reason to stop working.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from redis import Redis
from redis.exceptions import RedisError

from somos.ports.errors import Throttled, Transient

CircuitState = Literal["closed", "open", "half-open", "unknown"]

KEPT_MS = 7 * 24 * 3600 * 1000
SHORT_OF_REDIS_S = 10.0  # after a failure Redis is left alone this long, so its timeouts do not add up

# The breaker's times come from the caller's clock, in milliseconds. A time further ahead than it can be means
# that the clock was set back; it counts as over. The rate is about the provider's time, so it uses Redis's own.
# A call that is a little early gets the next free slot and waits for it; one much too early is turned away.
ADMIT = """
local circuit, rate = KEYS[1], KEYS[2]
local now, open_for, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local interval, burst, patience = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local token, kept = ARGV[7], ARGV[8]
local open_until = tonumber(redis.call('HGET', circuit, 'open_until') or '0')
if open_until > 0 then
  local wait = open_until - now
  if wait > 0 and wait <= open_for then return {'open', wait} end
  wait = tonumber(redis.call('HGET', circuit, 'probe_until') or '0') - now
  if wait > 0 and wait <= lease then return {'open', wait} end
end
local pause = 0
if interval > 0 then
  local time = redis.call('TIME')
  local here = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local due = math.max(tonumber(redis.call('GET', rate) or '0'), here)
  pause = math.max(0, math.ceil(due - here - interval * (burst - 1)))
  if pause > patience then return {'rate', pause} end
  redis.call('SET', rate, due + interval, 'PX', math.ceil(due + interval - here) + 1000)
end
if open_until > 0 then
  redis.call('HSET', circuit, 'probe_until', now + lease, 'probe', token)
  redis.call('PEXPIRE', circuit, kept)
  return {'probe', pause}
end
return {'go', pause}
"""

# Late answers of calls admitted before the circuit opened neither close nor reopen it: only the probe does.
SETTLE = """
local circuit = KEYS[1]
local now, open_for, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local good, token, kept = ARGV[4] == '1', ARGV[5], ARGV[6]
local open_until = tonumber(redis.call('HGET', circuit, 'open_until') or '0')
local probing = open_until > 0 and redis.call('HGET', circuit, 'probe') == token
redis.call('HSET', circuit, good and 'good_at' or 'bad_at', now)
redis.call('PEXPIRE', circuit, kept)
if open_until > 0 and not probing then return 0 end
if good then
  redis.call('HDEL', circuit, 'failures', 'open_until', 'probe', 'probe_until')
elseif probing or redis.call('HINCRBY', circuit, 'failures', 1) >= limit then
  redis.call('HSET', circuit, 'open_until', now + open_for)
  redis.call('HDEL', circuit, 'failures', 'probe', 'probe_until')
end
return 1
"""


@dataclass(frozen=True)
class Rate:
    """At most `count` calls in any `seconds`, all workers together."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Circuit:
    """How a provider's breaker stands."""

    state: CircuitState
    failures: int = 0
    open_until: float | None = None
    good_at: float | None = None
    bad_at: float | None = None


class Gate:
    """`admit` before each try, `settle` after it."""

    def __init__(
        self,
        redis: "Redis | None",
        provider: str,
        clock: Callable[[], datetime],
        *,
        rate: Rate | None = None,
        failures: int = 5,
        open_for: float = 60.0,
        lease: float = 60.0,
        patience: float = 2.0,
    ) -> None:
        self._redis, self._clock = redis, clock
        self._circuit, self._rate = f"somos:outside:{provider}", f"somos:outside:{provider}:rate"
        self._limit, self._open_for, self._lease = failures, int(open_for * 1000), int(lease * 1000)
        self._patience = int(patience * 1000)
        self._burst = rate.count if rate else 0
        self._interval = rate.seconds * 1000 / rate.count if rate else 0
        self._back_at = 0.0
        if redis is not None:
            self._admit, self._settle = redis.register_script(ADMIT), redis.register_script(SETTLE)

    def admit(self) -> tuple[str, float]:
        """A token to settle with, and how many seconds to wait first.

        Raises Transient `circuit-open`, or Throttled `own-rate`.
        """
        token = uuid4().hex
        answer = self._ask(
            "_admit",
            [self._circuit, self._rate],
            [
                self._now(),
                self._open_for,
                self._lease,
                self._interval,
                self._burst,
                self._patience,
                token,
                KEPT_MS,
            ],
        )
        if answer is None:
            return token, 0.0
        verdict, wait = _text(answer[0]), int(answer[1]) / 1000
        if verdict == "open":
            raise Transient(
                "Serviço externo fora do ar; novas tentativas aguardam.",
                code="circuit-open",
                retry_after=wait,
            )
        if verdict == "rate":
            raise Throttled("Limite próprio de chamadas por segundo.", code="own-rate", retry_after=wait)
        return token, wait

    def settle(self, token: str, *, good: bool) -> None:
        self._ask(
            "_settle",
            [self._circuit],
            [self._now(), self._open_for, self._limit, "1" if good else "0", token, KEPT_MS],
        )

    def circuit(self) -> Circuit:
        """How it stands, without calling anybody but Redis."""
        if self._redis is None:
            return Circuit("unknown")
        try:
            raw: Any = self._redis.hgetall(self._circuit)
        except RedisError:
            return Circuit("unknown")
        seen = {_text(key): float(value) for key, value in raw.items() if _text(key) != "probe"}
        until = seen.get("open_until")
        if until is None:
            state: CircuitState = "closed"
        else:
            state = "open" if 0 < until - self._now() <= self._open_for else "half-open"
        return Circuit(
            state,
            failures=int(seen.get("failures", 0)),
            open_until=until / 1000 if until else None,
            good_at=seen["good_at"] / 1000 if "good_at" in seen else None,
            bad_at=seen["bad_at"] / 1000 if "bad_at" in seen else None,
        )

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)

    def _ask(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        if self._redis is None or time.monotonic() < self._back_at:
            return None
        try:
            return getattr(self, script)(keys=keys, args=arguments)
        except RedisError:
            self._back_at = time.monotonic() + SHORT_OF_REDIS_S
            return None


def _text(raw: "bytes | str") -> str:
    return raw.decode() if isinstance(raw, bytes) else raw
