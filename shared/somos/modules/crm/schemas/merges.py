"""Merges of two records, as they are asked for and shown."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, View
from somos.modules.crm.rules.merges import Side
from somos.modules.crm.tables import Merge


class MergeDraft(Body):
    kind: Literal["company", "contact"]
    survivor_id: UUID
    absorbed_id: UUID
    choices: dict[str, Side] = Field(
        default_factory=dict,
        description="Campo a campo: de quem fica o valor. Sem escolha, fica o preenchido",
    )


class MergeFilter(Filter):
    table = Merge
    sort: Literal["-id", "id"] = "-id"
    kind: Literal["company", "contact"] | None = None
    survivor_id: UUID | None = None


class MergeView(View):
    id: UUID
    kind: str
    survivor_id: UUID
    absorbed_id: UUID
    merged_by: UUID
    choices: dict[str, Any]
    moved: dict[str, Any]
    created_at: datetime
