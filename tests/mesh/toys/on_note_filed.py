"""Counts each note that is filed, calling nobody: many are done together."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from somos.mesh import Context, Event, topic
from tests.mesh.toys.on_note_written import NoteCounted


class NoteFiled(Event):
    """A note was put away."""

    note_id: UUID
    spoilt: bool = False
    not_before: datetime | None = None


@topic(NoteFiled)
def on_note_filed(event: NoteFiled, ctx: Context) -> None:
    with ctx.write() as db:
        db.execute(text("update mesh.toy_notes set counted = counted + 1 where id = :id"), {"id": event.note_id})
        ctx.emit(NoteCounted(receipt=f"filed-{event.note_id}"))
        ctx.notify("note.filed", {"note_id": str(event.note_id)}, role="Diretor")
        if event.spoilt:
            raise ValueError("spoilt")
        if event.not_before and ctx.now < event.not_before:
            ctx.later(event.not_before, "not yet")
