"""Notes: the endpoints of the toy."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from somos.mesh import Body, Conflict, Context, Event, NotFound, View, http
from somos.mesh.ids import uuid7


class NoteWritten(Event):
    """A note exists."""

    note_id: UUID
    after_s: int = 0


class NoteDraft(Body):
    """A note to write."""

    text: str
    fail: bool = False
    after_s: int = 0


class NoteView(View):
    """A note."""

    id: UUID
    text: str
    version: int


@http.post("/toys/notes", allow="crm:write")
def notes_create(draft: NoteDraft, ctx: Context) -> NoteView:
    id = uuid7()
    ctx.db.execute(text("insert into mesh.toy_notes (id, text) values (:id, :text)"), {"id": id, "text": draft.text})
    after = ctx.now + timedelta(seconds=draft.after_s) if draft.after_s else None
    ctx.emit(NoteWritten(note_id=id), after=after)
    if draft.fail:
        raise Conflict("Pediram para falhar", code="asked-to")
    return NoteView(id=id, text=draft.text, version=1)


@http.get("/toys/notes/{id}", allow="crm:read")
def notes_get(id: UUID, ctx: Context) -> NoteView:
    row = ctx.db.execute(text("select id, text, 1 as version from mesh.toy_notes where id = :id"), {"id": id}).first()
    if row is None:
        raise NotFound
    return NoteView.model_validate(row)
