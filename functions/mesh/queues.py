"""How the mesh's queues stand."""

from datetime import datetime, timedelta

from sqlalchemy import text

from somos.mesh import Context, View, http
from somos.mesh.backlog import backlogs


class QueueView(View):
    """One queue: what waits, what is due now, what was given up. `width`: how many each worker has under way at once;
    0 where no worker serves it any more."""

    queue: str
    width: int
    waiting: int
    due: int
    dead: int
    oldest_due_at: datetime | None


class QueuesView(View):
    """All queues, and since when the relay is silent if it is."""

    queues: list[QueueView]
    done_last_minute: int
    relay_seen_at: datetime | None


_DONE = text("select count(*) from mesh.deliveries where state = 'done' and done_at > :since")
_BEAT = text("select at from mesh.heartbeats where part = 'relay'")


@http.get("/api/v1/mesh/queues", allow="mesh:read")
def queues_list(ctx: Context) -> QueuesView:
    """Every queue, the empty ones too."""
    standing = backlogs(ctx.db, ctx.now)
    return QueuesView(
        queues=[QueueView.model_validate(one) for one in standing],
        done_last_minute=ctx.db.scalar(_DONE, {"since": ctx.now - timedelta(minutes=1)}) or 0,
        relay_seen_at=ctx.db.scalar(_BEAT),
    )
