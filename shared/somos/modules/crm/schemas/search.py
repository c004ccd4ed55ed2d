"""The search box and its answer."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from somos.mesh import View


class SearchQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    q: str = Field(min_length=2, max_length=100)
    limit: int = Field(10, ge=1, le=50, description="Por tipo")


class SearchHit(View):
    kind: Literal["deal", "company", "contact"]
    id: UUID
    title: str
    detail: str | None


class SearchAnswer(View):
    hits: list[SearchHit]
