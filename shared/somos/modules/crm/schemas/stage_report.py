"""What became of deals, stage by stage."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from somos.mesh import View
from somos.modules.crm.schemas.fields import Day


class StageReportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pipeline_id: UUID
    entered_from: Day | None = None
    entered_to: Day | None = None


class StageReportLine(View):
    """Of the deals that entered the stage in the period: where they went, and how long they stayed."""

    stage_id: UUID
    name: str
    entered: int
    advanced: int
    went_back: int
    lost: int
    still_there: int
    conversion_percent: int | None
    average_hours: int | None


class StageReport(View):
    pipeline_id: UUID
    stages: list[StageReportLine]
