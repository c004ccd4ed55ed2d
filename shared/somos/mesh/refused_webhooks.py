"""Webhooks turned away for want of a right proof. Their senders give up on them, so people have to be notified.

Counted in Redis alone: whoever finds the address can cause it, and must not fill the database by it.
"""

from typing import TYPE_CHECKING, Any

from somos.mesh import clock
from somos.mesh.log import log

if TYPE_CHECKING:
    import redis

# Since the last one; then it is taken to be repaired, or to have been a stranger.
REMEMBERED_S = 6 * 3600
_KEY = "somos:webhooks-refused:"


def note(client: "redis.Redis | None", provider: str) -> None:
    """One more. Never raises."""
    log.error("webhook_refused", provider=provider)
    if client is None:
        return
    from redis import RedisError

    try:
        with client.pipeline() as pipe:
            pipe.hincrby(_KEY + provider, "count", 1)
            pipe.hset(_KEY + provider, "last_at", clock.now().isoformat())
            pipe.expire(_KEY + provider, REMEMBERED_S)
            pipe.execute()
    except RedisError as error:
        log.warning("refusals_not_counted", error=type(error).__name__)


def recent(client: "redis.Redis | None", provider: str) -> dict[str, Any] | None:
    """How many lately, and when the last; None when there were none or nobody can tell."""
    if client is None:
        return None
    from redis import RedisError

    try:
        kept: Any = client.hgetall(_KEY + provider)
    except RedisError:
        return None
    counters = {_text(name): _text(value) for name, value in kept.items()}
    return {"count": int(counters["count"]), "last_at": counters["last_at"]} if counters else None


def _text(raw: "bytes | str") -> str:
    return raw.decode() if isinstance(raw, bytes) else raw
