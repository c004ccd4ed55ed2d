"""What outreach states: drafts, approvals, messages that left, and answers."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from somos.mesh.events import Event

Channel = Literal["whatsapp", "email", "linkedin"]
AddressKind = Literal["phone", "email"]


class CampaignStarted(Event):
    """A person chose leads and a channel; stated again until every lead was looked at."""

    campaign_id: UUID
    task_id: UUID


class DraftWanted(Event):
    """One message is to be written for one lead."""

    message_id: UUID


class MessageApproved(Event):
    """A person approved the exact text for this person, channel and sender; stated again when a window or a
    cap delays the message."""

    message_id: UUID


class MessageClaimed(Event):
    """Every check lets the message leave now; `attempt` is the one that may send it."""

    message_id: UUID
    attempt: int


class MessageSent(Event):
    """The provider accepted the message. `keys` are keyed hashes of the person's addresses; since `left_at` it may be
    with the person."""

    message_id: UUID
    lead_id: UUID
    channel: Channel
    keys: tuple[str, ...] = ()
    left_at: datetime | None = None


class ReplyStored(Event):
    """Somebody wrote to us; the raw text is stored."""

    response_id: UUID


class MailUnread(Event):
    """A mail came whose words the provider did not give; it is asked for again, for the `tried`th time."""

    response_id: UUID
    tried: int


class ReplyClassified(Event):
    """What the answer means is known; of a `later`, the day that was named."""

    response_id: UUID
    lead_id: UUID | None = None
    label: str
    later_date: date | None = None


class LeadAccepted(Event):
    """The person wants to talk: a deal is to be opened, once."""

    lead_id: UUID
    owner_id: UUID
    response_id: UUID
    campaign_id: UUID | None = None
    channel: Channel


class PersonSuppressed(Event):
    """Never write to this person again. `person_key` is the keyed hash of the address."""

    person_key: str


class PersonErased(Event):
    """What was known of a person is gone. `keys` are keyed hashes of their addresses."""

    keys: list[str]


class StepDue(Event):
    """The wait of one cadence step is over."""

    enrolment_id: UUID
    step_no: int


class SuppressionWanted(Event):
    """A file that a person sent says never to write to somebody: `keys` are keyed hashes of the addresses, by kind."""

    keys: dict[str, AddressKind]
    reason: str
