"""Which tag is on which deal, company or contact."""

from uuid import UUID

from somos.mesh import Context, Invalid, Page, http
from somos.modules.crm.schemas.taggings import TaggingDraft, TaggingFilter, TaggingView
from somos.modules.crm.tables import Company, Contact, Deal, Tag, Tagging

SUBJECTS = {"tag_id": Tag, "deal_id": Deal, "company_id": Company, "contact_id": Contact}


@http.get("/api/v1/taggings", allow="crm:read")
def taggings_list(filter: TaggingFilter, ctx: Context) -> Page[TaggingView]:
    return ctx.page(ctx.visible(Tagging).where(*filter.clauses()), TaggingView)


@http.post("/api/v1/taggings", allow="crm:write")
def taggings_create(draft: TaggingDraft, ctx: Context) -> TaggingView:
    """Marking twice is marking once."""
    values = draft.model_dump(exclude_none=True)
    for field, id in values.items():
        table = SUBJECTS[field]
        if not ctx.count(ctx.visible(table).where(table.id == id)):
            raise Invalid("Não encontrado", field=field)
    tagging = ctx.db.scalars(ctx.visible(Tagging).filter_by(**values)).first()
    if tagging is None:
        tagging = Tagging(**values)
        ctx.db.add(tagging)
        ctx.db.flush()
    return TaggingView.model_validate(tagging)


@http.delete("/api/v1/taggings/{id}", allow="crm:write")
def taggings_delete(id: UUID, ctx: Context) -> None:
    ctx.db.delete(ctx.get(Tagging, id, lock=True))
