"""Which tag is on which deal, company or contact."""

from typing import Any
from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.crm.schemas.taggings import TaggingDraft, TaggingFilter, TaggingView
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.taggings import Tagging
from somos.modules.crm.tables.tags import Tag

SUBJECTS: dict[str, type[Any]] = {"tag_id": Tag, "deal_id": Deal, "company_id": Company, "contact_id": Contact}


@http.get("/api/v1/taggings", allow="crm:read")
def taggings_list(filter: TaggingFilter, ctx: Context) -> Page[TaggingView]:
    return ctx.page(ctx.visible(Tagging).where(*filter.clauses()), TaggingView)


@http.post("/api/v1/taggings", allow="crm:write")
def taggings_create(draft: TaggingDraft, ctx: Context) -> TaggingView:
    """Marking twice is marking once."""
    values = draft.model_dump(exclude_none=True)
    for field, id in values.items():
        ctx.linked(SUBJECTS[field], id, field)
    tagging = ctx.db.scalars(ctx.visible(Tagging).filter_by(**values)).first()
    return ctx.show(tagging or ctx.create(Tagging, draft), TaggingView)


@http.delete("/api/v1/taggings/{id}", allow="crm:write")
def taggings_delete(id: UUID, ctx: Context) -> None:
    ctx.db.delete(ctx.get(Tagging, id, lock=True))
