"""Saved views, as they are sent and shown."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, View, untouched
from somos.modules.crm.schemas import Short
from somos.modules.crm.tables import (
    SavedView,
)


class SavedViewFilter(Filter):
    table = SavedView
    sort: Literal["name", "-id"] = "name"
    view_of: Literal["deals", "companies", "contacts"] | None = None


class SavedViewDraft(Body):
    view_of: Literal["deals", "companies", "contacts"]
    name: Short
    filters: dict[str, Any] = Field(description="Os parâmetros da listagem", max_length=30)
    shared: bool = False


class SavedViewPatch(Body):
    name: Short = untouched()
    filters: dict[str, Any] = untouched()
    shared: bool = untouched()


class SavedViewView(View):
    id: UUID
    owner_id: UUID
    view_of: str
    name: str
    filters: dict[str, Any]
    shared: bool
    version: int
