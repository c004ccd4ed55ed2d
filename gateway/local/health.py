"""Whether the stack is alive: database, Redis, the relay's heartbeat; and how the outside stands."""

from datetime import timedelta
from typing import Any

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from gateway.local.exchange import Answer
from somos.mesh import clock
from somos.mesh.database import atomically
from somos.mesh.runtime import Runtime

# The relay beats every second; this many missed beats are worth saying.
SILENT = timedelta(seconds=15)


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
            at = connection.execute(text("select at from mesh.heartbeats where part = 'relay'")).scalar()
    except SQLAlchemyError as error:
        return {"database": {"ok": False, "why": type(error).__name__}, "relay": {"ok": False, "why": "unknown"}}
    beating = at is not None and clock.now() - at < SILENT
    return {"database": {"ok": True}, "relay": {"ok": beating, "last_beat_at": at.isoformat() if at else None}}


def _redis(runtime: Runtime) -> dict[str, Any]:
    try:
        runtime.redis.ping()
    except (redis.RedisError, ValueError) as error:
        return {"ok": False, "why": type(error).__name__}
    return {"ok": True}
