"""What a person keeps for themselves about a deal: their notes, and messages of their own mailbox.

Nobody else reads them, whatever the role; the database refuses.
"""

from uuid import UUID

from somos.mesh import Context, Invalid, Page, http
from somos.modules.crm.schemas.private_notes import PrivateNoteDraft, PrivateNoteFilter, PrivateNoteView
from somos.modules.crm.tables import Deal, PrivateNote


@http.get("/api/v1/private-notes", allow="crm:read")
def private_notes_list(filter: PrivateNoteFilter, ctx: Context) -> Page[PrivateNoteView]:
    return ctx.page(ctx.visible(PrivateNote).where(*filter.clauses()), PrivateNoteView)


@http.post("/api/v1/private-notes", allow="crm:write")
def private_notes_create(draft: PrivateNoteDraft, ctx: Context) -> PrivateNoteView:
    if not ctx.count(ctx.visible(Deal).where(Deal.id == draft.deal_id)):
        raise Invalid("Não encontrado", field="deal_id")
    values = draft.model_dump(exclude={"happened_at"})
    note = PrivateNote(**values, author_id=ctx.principal.id, happened_at=draft.happened_at or ctx.now)
    ctx.db.add(note)
    ctx.db.flush()
    return PrivateNoteView.model_validate(note)


@http.delete("/api/v1/private-notes/{id}", allow="crm:write")
def private_notes_delete(id: UUID, ctx: Context) -> None:
    ctx.db.delete(ctx.get(PrivateNote, id, lock=True))
