"""Merges of two records, as they are asked for and shown."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, Model, OneOf, View
from somos.modules.crm.rules.merges import FIELDS, Side
from somos.modules.crm.tables.merges import Merge

MergeKind = Annotated[str, OneOf(FIELDS)]


class MergeFields(Model):
    kind: MergeKind
    survivor_id: UUID
    absorbed_id: UUID
    choices: dict[str, Side] = Field(
        default_factory=dict,
        description="Campo a campo: de quem fica o valor. Sem escolha, fica o preenchido",
    )


class MergeDraft(MergeFields, Body):
    pass


class MergeFilter(Filter):
    table = Merge
    sort: Literal["-id", "id"] = "-id"
    kind: MergeKind | None = None

    survivor_id: UUID | None = None


class MergeView(MergeFields, View):
    id: UUID
    merged_by: UUID
    moved: dict[str, Any]
    created_at: datetime
