"""Outreach messages and their approvals, as people see and decide them."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from somos.mesh import Body, Filter, OneOf, Record, View, untouched
from somos.modules.sdr.rules.drafts import problems
from somos.modules.sdr.rules.machines import MESSAGE
from somos.modules.sdr.rules.words import Author, Channel, MessageKind
from somos.modules.sdr.schemas.fields import Hash, Reason, Short, Text
from somos.modules.sdr.tables.messages import OutreachMessage

State = Annotated[str, OneOf(MESSAGE.states)]


def to_fix(message: OutreachMessage) -> list[str]:
    """What keeps this message from being approved."""
    return problems(message.channel, message.subject, message.text, way_out=message.kind != "reply")


class MessageFilter(Filter):
    """Messages by campaign, lead, channel and state; `state=awaiting_approval` is the queue to decide."""

    table: ClassVar[Any] = OutreachMessage
    sort: Literal["-id", "id"] = "-id"
    campaign_id: UUID | None = None
    lead_id: UUID | None = None
    channel: Channel | None = None
    state: State | None = None
    kind: MessageKind | None = None


class Evidence(View):
    field: str
    value: str | None = None
    quote: str | None = None
    url: str | None = None


class MessageView(Record):
    """A message beside the evidence of its lead; `text_hash` is what an approval names."""

    campaign_id: UUID | None
    enrolment_id: UUID | None
    lead_id: UUID
    kind: MessageKind
    channel: Channel
    sender_id: UUID
    to_address: str
    state: State
    subject: str | None
    text: str
    text_hash: str | None
    evidence: list[Evidence]
    warnings: list[str]
    author: Author
    model: str | None
    drafted_at: datetime | None
    edited_at: datetime | None
    approved_at: datetime | None
    due_at: datetime | None
    waiting_for: str | None
    sandbox: bool
    sent_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    unconfirmed_at: datetime | None
    ended_reason: str | None
    erased_at: datetime | None
    created_at: datetime

    @model_validator(mode="before")
    @classmethod
    def _with_warnings(cls, message: Any) -> Any:
        """Point out what a person must fix before approving, while they still can."""
        if not isinstance(message, OutreachMessage):
            return message
        values = {name: getattr(message, name) for name in cls.model_fields if name not in ("evidence", "warnings")}
        undecided = message.state in ("drafted", "awaiting_approval")
        warnings = to_fix(message) if undecided else []
        return values | {"evidence": message.evidence or [], "warnings": warnings}


class MessageEdit(Body):
    """New words; whatever was approved before is void."""

    text: Text = untouched()
    subject: Short | None = None


class Approve(Body):
    text_hash: Hash


class EditAndApprove(Body):
    """The exact words to send; `text_hash` is of the version that was read, so nothing is overwritten unseen."""

    text_hash: Hash
    text: Text
    subject: Short | None = None


class Reject(Body):
    reason: Reason


class Settle(Body):
    """What a person found out about a message whose outcome nobody knew; `again` puts it back in the queue."""

    outcome: Literal["sent", "not_sent"]
    again: bool = Field(False, description="Só com not_sent: tentar de novo, se a aprovação ainda valer")
