"""People going through cadences."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from somos.mesh import Filter, OneOf, Record
from somos.modules.sdr.rules.machines import ENROLMENT
from somos.modules.sdr.tables.enrolments import Enrolment


class EnrolmentFilter(Filter):
    table: ClassVar[Any] = Enrolment
    sort: Literal["-id", "id"] = "-id"
    campaign_id: UUID | None = None
    lead_id: UUID | None = None
    state: Annotated[str, OneOf(ENROLMENT.states)] | None = None


class EnrolmentView(Record):
    campaign_id: UUID
    lead_id: UUID
    state: str
    step_no: int
    due_at: datetime | None
    stopped_reason: str | None
    created_at: datetime
