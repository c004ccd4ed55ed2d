"""Tags: the words the house marks records with."""

from uuid import UUID

from somos.kernel.text import fold
from somos.mesh import Context, Invalid, Page, http
from somos.modules.crm.schemas.tags import TagDraft, TagFilter, TagPatch, TagView
from somos.modules.crm.tables.tags import Tag


@http.get("/api/v1/tags", allow="crm:read")
def tags_list(filter: TagFilter, ctx: Context) -> Page[TagView]:
    return ctx.page(ctx.visible(Tag).where(*filter.clauses()), TagView)


@http.post("/api/v1/tags", allow="crm:write")
def tags_create(draft: TagDraft, ctx: Context) -> TagView:
    return ctx.show(ctx.create(Tag, draft, name_key=_key(ctx, draft.name)), TagView)


@http.patch("/api/v1/tags/{id}", allow="crm.configure")
def tags_patch(id: UUID, patch: TagPatch, ctx: Context) -> TagView:
    tag = ctx.get(Tag, id, lock=True)
    if patch.name is not None and fold(patch.name) != tag.name_key:
        ctx.change(tag, name_key=_key(ctx, patch.name))
    return ctx.show(ctx.change(tag, patch), TagView)


@http.delete("/api/v1/tags/{id}", allow="crm.configure")
def tags_delete(id: UUID, ctx: Context) -> None:
    """From everything it marks, too."""
    ctx.db.delete(ctx.get(Tag, id, lock=True))


def _key(ctx: Context, name: str) -> str:
    """The same word in other letters is the same tag."""
    key = fold(name)
    if not key:
        raise Invalid("Use ao menos uma letra ou um número", field="name")
    ctx.refuse_twin(ctx.visible(Tag).where(Tag.name_key == key), TagView, "Esta etiqueta já existe", code="tag-exists")
    return key
