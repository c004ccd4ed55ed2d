"""Tags, as they are sent and shown."""

from typing import Annotated, Literal

from pydantic import Field

from somos.mesh import Body, Filter, Model, Patch, Record
from somos.modules.crm.tables.tags import Tag

Color = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$", description="#rrggbb")]


class TagFilter(Filter):
    table = Tag
    sort: Literal["name_key", "-id"] = "name_key"


class TagFields(Model):
    name: Annotated[str, Field(min_length=1, max_length=40)]
    color: Color = "#64748b"


class TagDraft(TagFields, Body):
    pass


class TagPatch(TagFields, Patch):
    pass


class TagView(TagFields, Record):
    pass
