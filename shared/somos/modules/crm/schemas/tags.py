"""Tags, as they are sent and shown."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, View, untouched
from somos.modules.crm.tables import (
    Tag,
)

Color = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$", description="#rrggbb")]


class TagFilter(Filter):
    table = Tag
    sort: Literal["name_key", "-id"] = "name_key"


class TagDraft(Body):
    name: Annotated[str, Field(min_length=1, max_length=40)]
    color: Color = "#64748b"


class TagPatch(Body):
    name: Annotated[str, Field(min_length=1, max_length=40)] = untouched()
    color: Color = untouched()


class TagView(View):
    id: UUID
    name: str
    color: str
    version: int
