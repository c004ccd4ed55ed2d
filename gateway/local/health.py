"""Whether the stack is alive: database, Redis, the relay's heartbeat; and how the outside stands."""

from typing import Any

import redis
from sqlalchemy.exc import SQLAlchemyError

from gateway.local.exchange import Answer
from somos.mesh import beats
from somos.mesh.database import atomically
from somos.mesh.runtime import Runtime


def health(runtime: Runtime) -> Answer:
    """503 only when no request could be answered; a silent relay or Redis costs time, not truth."""
    parts = {"gateway": {"ok": True}, **_database_and_relay(runtime), "redis": _redis(runtime)}
    alive = parts["database"]["ok"]
    fine = all(part["ok"] for part in parts.values())
    status = "ok" if fine else "degraded" if alive else "down"
    return Answer.json({"status": status, "parts": parts}, 200 if alive else 503)


def integrations(runtime: Runtime) -> Answer:
    """Each provider, from its breaker and configuration; none is called."""
    found = runtime.wiring.health()
    fine = all(one["state"] in ("ok", "unknown", "recovering") for one in found)
    return Answer.json({"status": "ok" if fine else "degraded", "integrations": found})


def _database_and_relay(runtime: Runtime) -> dict[str, dict[str, Any]]:
    try:
        with atomically(runtime.engine) as connection:
            last = beats.seen(connection)
    except SQLAlchemyError as error:
        return {"database": {"ok": False, "why": type(error).__name__}, "relay": {"ok": False, "why": "unknown"}}
    silent, at = beats.silent(last), last["relay"]
    relay = {"ok": not silent, "last_beat_at": at.isoformat() if at else None, "silent": silent}
    return {"database": {"ok": True}, "relay": relay}


def _redis(runtime: Runtime) -> dict[str, Any]:
    try:
        runtime.redis.ping()
    except (redis.RedisError, ValueError) as error:
        return {"ok": False, "why": type(error).__name__}
    return {"ok": True}
