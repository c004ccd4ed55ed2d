"""How the mesh's queues stand."""

from datetime import datetime, timedelta

from sqlalchemy import text

from somos.mesh import Context, View, http


class QueueView(View):
    """One queue: what waits, what is due now, what was given up."""

    queue: str
    waiting: int
    due: int
    dead: int
    oldest_due_at: datetime | None


class QueuesView(View):
    """All queues, and since when the relay is silent if it is."""

    queues: list[QueueView]
    done_last_minute: int
    relay_seen_at: datetime | None


_BY_QUEUE = text("""
select queue, count(*) filter (where state = 'due') as waiting,
       count(*) filter (where state = 'due' and due_at <= :now) as due,
       count(*) filter (where state = 'dead') as dead,
       min(due_at) filter (where state = 'due' and due_at <= :now) as oldest_due_at
from mesh.deliveries where state <> 'done' group by queue
""")
_DONE = text("select count(*) from mesh.deliveries where done_at > :since")
_BEAT = text("select at from mesh.heartbeats where part = 'relay'")


@http.get("/api/v1/mesh/queues", allow="mesh:read")
def queues_list(ctx: Context) -> QueuesView:
    """Every queue of the map, the empty ones too."""
    found = {row["queue"]: row for row in ctx.db.execute(_BY_QUEUE, {"now": ctx.now}).mappings()}
    nothing = {"waiting": 0, "due": 0, "dead": 0, "oldest_due_at": None}
    return QueuesView(
        queues=[
            QueueView(**{"queue": name, **nothing, **found.get(name, {})})
            for name in sorted({*ctx.runtime.routes.queues, *found})
        ],
        done_last_minute=ctx.db.scalar(_DONE, {"since": ctx.now - timedelta(minutes=1)}) or 0,
        relay_seen_at=ctx.db.scalar(_BEAT),
    )
