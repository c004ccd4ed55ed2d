"""Hand-overs, as they are asked for and shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from somos.mesh import Body, Filter, View
from somos.modules.crm.schemas import Short
from somos.modules.crm.tables import (
    Handover,
)


class HandoverFilter(Filter):
    table = Handover
    sort: Literal["-id", "id"] = "-id"
    from_user_id: UUID | None = None
    to_user_id: UUID | None = None


class HandoverDraft(Body):
    from_user_id: UUID
    to_user_id: UUID
    reason: Short


class HandoverView(View):
    id: UUID
    from_user_id: UUID
    to_user_id: UUID
    made_by: UUID
    reason: str
    deals: int
    companies: int
    contacts: int
    tasks: int
    created_at: datetime
