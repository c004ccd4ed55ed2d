"""Counts each note once, after telling the outside once."""

from sqlalchemy import text

from somos.mesh import Context, Event, topic
from tests.mesh.toys.notes import NoteWritten
from tests.mesh.toys.outside import Postman


class NoteCounted(Event):
    """A note was counted."""

    receipt: str


@topic(NoteWritten, calls=[Postman], timeout=20, attempts=3)
def on_note_written(event: NoteWritten, ctx: Context) -> None:
    receipt = ctx.once("tell", ctx.port(Postman).tell, note=str(event.note_id))
    with ctx.write() as db:
        db.execute(text("update mesh.toy_notes set counted = counted + 1 where id = :id"), {"id": event.note_id})
        ctx.emit(NoteCounted(receipt=receipt))
