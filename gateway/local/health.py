"""Whether the stack is alive: database, Redis, the relay's heartbeat; and how the outside stands."""

from datetime import datetime
from typing import Any

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from gateway.local.exchange import Answer
from somos.mesh import clock, clock_rollback, heartbeats
from somos.mesh.database import atomically
from somos.mesh.runtime import Runtime

_WRITTEN = text(
    "insert into mesh.heartbeats (part, at) values ('gateway', :now) on conflict (part) do update set at = excluded.at"
)


def health(runtime: Runtime) -> Answer:
    """503 only when requests would be lost: nothing can be read or written. Anything else costs time, not truth."""
    parts = {"gateway": {"ok": True}, **_database_and_relay(runtime), "redis": _redis(runtime)}
    alive = parts["database"]["ok"]
    fine = all(part["ok"] for part in parts.values())
    status = "ok" if fine else "degraded" if alive else "down"
    return Answer.json({"status": status, "parts": parts}, 200 if alive else 503)


def integrations(runtime: Runtime) -> Answer:
    """Each provider, from its breaker and configuration; none is called."""
    providers = runtime.wiring.health()
    fine = all(one["state"] in ("ok", "unknown", "recovering") for one in providers)
    return Answer.json({"status": "ok" if fine else "degraded", "integrations": providers})


def _database_and_relay(runtime: Runtime) -> dict[str, dict[str, Any]]:
    unknown = {"ok": False, "why": "unknown"}
    try:
        with atomically(runtime.engine) as connection:
            # Reading may work where writing does not, as when the disk is full.
            connection.execute(_WRITTEN, {"now": clock.now()})
            last, before = heartbeats.last_seen(connection), clock_rollback.clock_before_rollback(connection)
    except SQLAlchemyError as error:
        return {"database": {"ok": False, "why": type(error).__name__}, "relay": unknown, "clock": unknown}
    silent, at = heartbeats.overdue(last), last["relay"]
    relay = {"ok": not silent, "last_beat_at": at.isoformat() if at else None, "silent": silent}
    return {"database": {"ok": True}, "relay": relay, "clock": _clock(before)}


def _clock(before: datetime | None) -> dict[str, Any]:
    """Not well until it shows again what it showed before it was set back."""
    if before is None or before <= clock.now():
        return {"ok": True}
    return {"ok": False, "why": "set back", "until": before.isoformat()}


def _redis(runtime: Runtime) -> dict[str, Any]:
    try:
        runtime.redis.ping()
    except (redis.RedisError, ValueError) as error:
        return {"ok": False, "why": type(error).__name__}
    return {"ok": True}
