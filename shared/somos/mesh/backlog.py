"""How the queues stand: counted from the indexes of what is not done, never from what is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from somos.mesh.queues import QUEUES

_DUE = text("""
select queue, count(*) as waiting, count(*) filter (where due_at <= :now) as due,
       min(due_at) filter (where due_at <= :now) as oldest_due_at
from mesh.deliveries where state = 'due' group by queue
""")
_DEAD = text("select queue, count(*) as dead from mesh.deliveries where state = 'dead' group by queue")


@dataclass
class Backlog:
    """One queue: not done yet, of that due now, given up, and since when the oldest is due."""

    queue: str
    waiting: int = 0
    due: int = 0
    dead: int = 0
    oldest_due_at: datetime | None = None

    @property
    def width(self) -> int:
        return QUEUES[self.queue].width if self.queue in QUEUES else 0


def backlogs(db: Session | Connection, now: datetime) -> list[Backlog]:
    """Every queue, the empty ones too, and every other that holds something; by name."""
    by_queue = {queue: Backlog(queue) for queue in QUEUES}

    def note(row: Any) -> None:
        one = by_queue.setdefault(row["queue"], Backlog(row["queue"]))
        for name, value in row.items():
            setattr(one, name, value)

    for row in db.execute(_DUE, {"now": now}).mappings():
        note(row)
    for row in db.execute(_DEAD).mappings():
        note(row)
    return [by_queue[queue] for queue in sorted(by_queue)]
