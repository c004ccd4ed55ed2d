"""What a person keeps for themselves about a deal: their notes, and messages of their own mailbox.

Nobody else reads them, whatever the role; the database refuses.
"""

from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.crm.schemas.private_notes import PrivateNoteDraft, PrivateNoteFilter, PrivateNoteView
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.private_notes import PrivateNote


@http.get("/api/v1/private-notes", allow="crm:read")
def private_notes_list(filter: PrivateNoteFilter, ctx: Context) -> Page[PrivateNoteView]:
    return ctx.page(ctx.visible(PrivateNote).where(*filter.clauses()), PrivateNoteView)


@http.post("/api/v1/private-notes", allow="crm:write")
def private_notes_create(draft: PrivateNoteDraft, ctx: Context) -> PrivateNoteView:
    ctx.linked(Deal, draft.deal_id, "deal_id")
    happened_at = draft.happened_at or ctx.now
    note = ctx.create(PrivateNote, draft, author_id=ctx.principal.id, happened_at=happened_at)
    return ctx.show(note, PrivateNoteView)


@http.delete("/api/v1/private-notes/{id}", allow="crm:write")
def private_notes_delete(id: UUID, ctx: Context) -> None:
    ctx.db.delete(ctx.get(PrivateNote, id, lock=True))
