"""What people wrote to us, and the conversation it belongs to."""

from datetime import date, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, Record
from somos.modules.sdr.rules.inbound import Label
from somos.modules.sdr.rules.words import Channel, Classifier, ResponseState
from somos.modules.sdr.schemas.fields import Day
from somos.modules.sdr.tables.responses import Response


class ResponseFilter(Filter):
    """Answers by lead, channel, class and state; `label=unclear` waits for a person, `state=unmatched` too.

    `state=unread` is mail whose words could not be fetched yet.
    """

    table: ClassVar[Any] = Response
    sort: Literal["-id", "id"] = "-id"
    lead_id: UUID | None = None
    campaign_id: UUID | None = None
    channel: Channel | None = None
    label: Label | None = None
    state: ResponseState | None = None
    later_date_from: Day | None = None
    later_date_to: Day | None = None


class ResponseView(Record):
    channel: Channel
    lead_id: UUID | None
    campaign_id: UUID | None
    message_id: UUID | None
    from_address: str
    from_name: str | None
    subject: str | None
    text: str
    state: ResponseState
    label: Label | None
    confidence: float | None
    quote: str | None
    later_date: date | None
    classified_by: Classifier | None
    received_at: datetime
    erased_at: datetime | None
    created_at: datetime


class Classify(Body):
    """What the answer means, said by a person; an opt-out said here is as final as any."""

    label: Literal["automatic", "optout", "interested", "question", "later", "no", "wrong_person"]
    later_date: Day | None = None
    lead_id: UUID | None = Field(None, description="De quem é, quando ninguém foi reconhecido")
