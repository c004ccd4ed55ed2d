"""Where a deal has been."""

from datetime import datetime
from uuid import UUID

from somos.mesh import View
from somos.modules.crm.schemas.deals import DealState


class SpanView(View):
    step: int
    stage_id: UUID
    stage_name: str
    state: DealState
    entered_at: datetime
    left_at: datetime | None
    seconds: int


class DealHistory(View):
    """Spans touch without gap or overlap; their seconds add up to the age, rounding aside."""

    deal_id: UUID
    age_seconds: int
    spans: list[SpanView]
