"""Whether a provider may be called now: circuit breaker and rate limit, shared by all workers through Redis.

When Redis cannot be asked the gate is open: protecting a provider is never a reason to stop working.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from redis import Redis
from redis.exceptions import RedisError

from somos.adapters.provider import Rate
from somos.ports.errors import Throttled, Transient

CircuitState = Literal["closed", "open", "half-open", "unknown"]

KEPT_MS = 7 * 24 * 3600 * 1000
LEAST_WAIT_MS = 1000
SHORT_OF_REDIS_S = 10.0  # after a failure Redis is left alone this long, so its timeouts do not add up

# The breaker's times come from the caller's clock, in milliseconds. A time further ahead than it can be means
# that the clock was set back; it counts as over. The rate is about the provider's time, so it uses Redis's own.
# A call that is a little early gets the next free slot and waits for it; one much too early is turned away.
#
# After a pause some calls are let through on trial. Whoever finds no place waits about as long as the trial runs
# already: not at all long when the provider answers, ever longer when it hangs. Waits are spread, so that those who
# wait together do not come back together.
ADMIT = """
local circuit, rate = KEYS[1], KEYS[2]
local now, longest, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local interval, burst, patience = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local token, kept, places = ARGV[7], ARGV[8], tonumber(ARGV[9])
local least, jitter = tonumber(ARGV[10]), tonumber(ARGV[11])
local function number(field) return tonumber(redis.call('HGET', circuit, field) or '0') end
local open_until = number('open_until')
local fresh = false
if open_until > 0 then
  local wait = open_until - now
  if wait > 0 and wait <= longest then return {'open', math.ceil(wait + jitter * math.max(least, wait / 10))} end
  local left = number('trial_at') + lease - now
  fresh = left <= 0 or left > lease
  if not fresh and number('admitted') >= places then
    wait = math.min(left, math.max(least, now - number('trial_at')))
    return {'open', math.ceil(wait * (1 + jitter))}
  end
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
  if fresh then
    redis.call('HSET', circuit, 'trial_at', now, 'admitted', 0, 'good', 0, 'bad', 0)
  end
  redis.call('HINCRBY', circuit, 'admitted', 1)
  redis.call('HSET', circuit, 'trial:' .. token, redis.call('HGET', circuit, 'trial_at'))
  redis.call('PEXPIRE', circuit, kept)
  return {'trial', pause}
end
return {'go', pause}
"""

# Late answers of calls admitted before the circuit opened, or in an earlier trial, neither close nor reopen it. In a
# trial the first to have the majority of its places decides; each trial that fails makes the next pause longer.
SETTLE = """
local circuit = KEYS[1]
local now, longest, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local good, token, kept = ARGV[4] == '1', ARGV[5], ARGV[6]
local majority, shortest, jitter = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local function number(field) return tonumber(redis.call('HGET', circuit, field) or '0') end
local on_trial = redis.call('HGET', circuit, 'trial:' .. token)
local open = number('open_until') > 0
redis.call('HDEL', circuit, 'trial:' .. token)
redis.call('HSET', circuit, good and 'good_at' or 'bad_at', now)
redis.call('PEXPIRE', circuit, kept)
if open and (not on_trial or on_trial ~= redis.call('HGET', circuit, 'trial_at')) then return 0 end
local function forget(...)
  for _, field in ipairs(redis.call('HKEYS', circuit)) do
    if string.sub(field, 1, 6) == 'trial:' then redis.call('HDEL', circuit, field) end
  end
  redis.call('HDEL', circuit, 'failures', 'trial_at', 'admitted', 'good', 'bad', ...)
end
local function pause()
  local length = math.min(longest, shortest * 2 ^ number('pauses'))
  forget()
  redis.call('HINCRBY', circuit, 'pauses', 1)
  redis.call('HSET', circuit, 'open_until', math.floor(now + length * (1 - jitter / 5)))
end
if not open then
  if good then
    redis.call('HDEL', circuit, 'failures')
  elseif redis.call('HINCRBY', circuit, 'failures', 1) >= limit then
    pause()
  end
elseif redis.call('HINCRBY', circuit, good and 'good' or 'bad', 1) >= majority then
  if good then forget('open_until', 'pauses') else pause() end
end
return 1
"""


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
        shortest: float = 5.0,
        longest: float = 60.0,
        places: int = 3,
        lease: float = 60.0,
        patience: float = 2.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """After `failures` in a row nobody calls for `shortest` seconds, then for twice that, up to `longest`.

        Between two pauses `places` calls are tried, for `lease` seconds at most; more than half of them decide.
        """
        self._redis, self._clock = redis, clock
        self._circuit, self._rate = f"somos:outside:{provider}", f"somos:outside:{provider}:rate"
        self._limit, self._places, self._jitter = failures, places, jitter
        self._shortest, self._longest = int(shortest * 1000), int(longest * 1000)
        self._lease, self._patience = int(lease * 1000), int(patience * 1000)
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
                self._longest,
                self._lease,
                self._interval,
                self._burst,
                self._patience,
                token,
                KEPT_MS,
                self._places,
                LEAST_WAIT_MS,
                self._jitter(),
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
            [
                self._now(),
                self._longest,
                self._limit,
                "1" if good else "0",
                token,
                KEPT_MS,
                self._places // 2 + 1,
                self._shortest,
                self._jitter(),
            ],
        )

    def circuit(self) -> Circuit:
        """How it stands, without calling anybody but Redis."""
        if self._redis is None:
            return Circuit("unknown")
        try:
            raw: Any = self._redis.hgetall(self._circuit)
        except RedisError:
            return Circuit("unknown")
        seen = {_text(key): float(value) for key, value in raw.items()}
        until = seen.get("open_until")
        if until is None:
            state: CircuitState = "closed"
        else:
            state = "open" if 0 < until - self._now() <= self._longest else "half-open"
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
