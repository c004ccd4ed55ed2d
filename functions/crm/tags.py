"""Tags: the words the house marks records with."""

from uuid import UUID

from somos.kernel.text import fold
from somos.mesh import Conflict, Context, Invalid, Page, http
from somos.modules.crm.schemas.work import TagDraft, TagFilter, TagPatch, TagView
from somos.modules.crm.tables import Tag


@http.get("/api/v1/tags", allow="crm:read")
def tags_list(filter: TagFilter, ctx: Context) -> Page[TagView]:
    return ctx.page(ctx.visible(Tag).where(*filter.clauses()), TagView)


@http.post("/api/v1/tags", allow="crm:write")
def tags_create(draft: TagDraft, ctx: Context) -> TagView:
    tag = Tag(name=draft.name, name_key=_key(ctx, draft.name), color=draft.color)
    ctx.db.add(tag)
    ctx.db.flush()
    return TagView.model_validate(tag)


@http.patch("/api/v1/tags/{id}", allow="crm.configure")
def tags_patch(id: UUID, patch: TagPatch, ctx: Context) -> TagView:
    tag = ctx.get(Tag, id, lock=True)
    changes = patch.model_dump(exclude_unset=True)
    if "name" in changes and fold(changes["name"]) != tag.name_key:
        changes["name_key"] = _key(ctx, changes["name"])
    for name, value in changes.items():
        setattr(tag, name, value)
    ctx.db.flush()
    return TagView.model_validate(tag)


@http.delete("/api/v1/tags/{id}", allow="crm.configure")
def tags_delete(id: UUID, ctx: Context) -> None:
    """From everything it marks, too."""
    ctx.db.delete(ctx.get(Tag, id, lock=True))


def _key(ctx: Context, name: str) -> str:
    """The same word in other letters is the same tag."""
    key = fold(name)
    if not key:
        raise Invalid("Use ao menos uma letra ou um número", field="name")
    twin = ctx.db.scalars(ctx.visible(Tag).where(Tag.name_key == key)).first()
    if twin is not None:
        raise Conflict("Esta etiqueta já existe", code="tag-exists", fresh=TagView.model_validate(twin))
    return key
