"""Saved views, as they are sent and shown."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, Model, OneOf, Patch, Record
from somos.modules.crm.schemas.fields import Short
from somos.modules.crm.tables.saved_views import VIEW_OF, SavedView

ViewOf = Annotated[str, OneOf(VIEW_OF)]


class SavedViewFilter(Filter):
    table = SavedView
    sort: Literal["name", "-id"] = "name"
    view_of: ViewOf | None = None


class SavedViewFields(Model):
    name: Short
    filters: dict[str, Any] = Field(description="Os parâmetros da listagem", max_length=30)
    shared: bool = False


class SavedViewDraft(SavedViewFields, Body):
    view_of: ViewOf


class SavedViewPatch(SavedViewFields, Patch):
    pass


class SavedViewView(SavedViewFields, Record):
    owner_id: UUID
    view_of: str
