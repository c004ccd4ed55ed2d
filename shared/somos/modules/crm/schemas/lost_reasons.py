"""Reasons for losing, as they are sent and shown."""

from typing import Literal

from somos.mesh import Body, Filter, Model, Patch, Record
from somos.modules.crm.schemas.fields import Position, Short
from somos.modules.crm.tables.lost_reasons import LostReason


class LostReasonFilter(Filter):
    table = LostReason
    sort: Literal["position", "name", "-id"] = "position"
    active: bool | None = None


class LostReasonFields(Model):
    name: Short
    position: Position = 0


class LostReasonDraft(LostReasonFields, Body):
    pass


class LostReasonPatch(LostReasonFields, Patch):
    active: bool


class LostReasonView(LostReasonFields, Record):
    active: bool
