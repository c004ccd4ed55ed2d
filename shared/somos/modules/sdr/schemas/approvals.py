"""Requests that a person decides."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from somos.mesh import Filter, OneOf, View
from somos.modules.sdr.rules.machines import APPROVAL
from somos.modules.sdr.tables.approvals import Approval


class ApprovalFilter(Filter):
    table: ClassVar[Any] = Approval
    sort: Literal["-id", "id"] = "-id"
    state: Annotated[str, OneOf(APPROVAL.states)] | None = None
    subject_type: Literal["outreach_message"] | None = None
    subject_id: UUID | None = None


class ApprovalView(View):
    """A request to decide; the subject's type, id, version and hash are part of it."""

    id: UUID
    subject_type: str
    subject_id: UUID
    subject_version: int
    subject_hash: str
    state: str
    requested_by: str
    expires_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    reason: str | None
    created_at: datetime
