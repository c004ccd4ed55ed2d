"""Hand-overs, as they are asked for and shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from somos.mesh import Body, Filter, Model, View
from somos.modules.crm.schemas.fields import Short
from somos.modules.crm.tables.handovers import Handover


class HandoverFilter(Filter):
    table = Handover
    sort: Literal["-id", "id"] = "-id"
    from_user_id: UUID | None = None
    to_user_id: UUID | None = None


class HandoverFields(Model):
    from_user_id: UUID
    to_user_id: UUID
    reason: Short


class HandoverDraft(HandoverFields, Body):
    pass


class HandoverView(HandoverFields, View):
    id: UUID
    made_by: UUID
    deals: int
    companies: int
    contacts: int
    tasks: int
    created_at: datetime
