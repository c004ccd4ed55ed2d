"""Work that a person waits for: its state, counters and result."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from somos.mesh.ids import uuid7

_START = text("""
insert into agents.tasks (id, kind, subject_id, owner_id, created_at, updated_at)
values (:id, :kind, :subject_id, :owner_id, :now, :now)
""")
_UPDATE = text("""
update agents.tasks
set progress = progress || cast(:progress as jsonb),
    state = coalesce(:state, state),
    result = coalesce(cast(:result as jsonb), result),
    error = coalesce(:error, error),
    updated_at = :now
where id = :id and state = 'running'
returning id, kind, owner_id, subject_id, state, progress
""")


def start(db: Session, kind: str, subject_id: UUID | None, owner_id: UUID, now: datetime) -> UUID:
    id = uuid7()
    db.execute(_START, {"id": id, "kind": kind, "subject_id": subject_id, "owner_id": owner_id, "now": now})
    return id


def update(
    db: Session,
    id: UUID,
    now: datetime,
    *,
    progress: dict[str, Any] | None = None,
    state: str | None = None,
    result: dict[str, Any] | None = None,
    error: str | None = None,
) -> dict[str, Any] | None:
    """Change a running task; a finished one stays as it is. Returns the message for its owner."""
    row = db.execute(
        _UPDATE,
        {
            "id": id,
            "progress": json.dumps(progress or {}, default=str),
            "state": state,
            "result": None if result is None else json.dumps(result, default=str),
            "error": error,
            "now": now,
        },
    ).first()
    if row is None:
        return None
    return {
        "id": uuid7(),
        "type": f"task.{row.state}",
        "data": {"task_id": row.id, "kind": row.kind, "subject_id": row.subject_id, "progress": row.progress},
        "at": now.isoformat(),
        "to": {"user": row.owner_id, "roles": []},
    }
