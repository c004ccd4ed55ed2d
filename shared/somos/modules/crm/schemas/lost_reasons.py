"""Reasons for losing, as they are sent and shown."""

from typing import Literal
from uuid import UUID

from somos.mesh import Body, Filter, View, untouched
from somos.modules.crm.schemas import Position, Short
from somos.modules.crm.tables import LostReason


class LostReasonFilter(Filter):
    table = LostReason
    sort: Literal["position", "name", "-id"] = "position"
    active: bool | None = None


class LostReasonDraft(Body):
    name: Short
    position: Position = 0


class LostReasonPatch(Body):
    name: Short = untouched()
    position: Position = untouched()
    active: bool = untouched()


class LostReasonView(View):
    id: UUID
    name: str
    position: int
    active: bool
    version: int
