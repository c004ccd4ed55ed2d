"""E-mail: sending one message to one person, and reading what was received."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import Field, RootModel

from somos.mesh.effects import operation
from somos.ports.port import Port, Value
from somos.ports.sent import Sent

__all__ = [
    "Arrival", "BounceKind", "Complaint", "Email", "EmailEvent", "EmailReports", "Progress", "Receipt", "ReceivedEmail",
    "Sent",
]  # fmt: skip

Progress = Literal["sent", "delayed", "delivered", "opened", "bounced", "failed", "suppressed"]
BounceKind = Literal["permanent", "temporary", "undetermined"]


class ReceivedEmail(Value):
    """A mail that came in. Everything in it is data from outside; header names are in lower case."""

    sender: str
    subject: str = ""
    text: str = ""
    headers: dict[str, str] = Field(default_factory=dict)


class Arrival(Value):
    """A mail came in; its words are fetched by its id. `sender` is a name and an address, as a header holds them."""

    email_id: str
    sender: str
    receivers: tuple[str, ...] = ()
    subject: str = ""
    at: datetime | None = None


class Complaint(Value):
    """Whoever gets our mail at these addresses calls it unwanted."""

    receivers: tuple[str, ...] = ()


class Receipt(Value):
    """How far a mail of ours has come. `suppressed`: the provider writes to this address no more.

    Of what came back, `kind` is the provider's judgement and `diagnosis` what the other server said; `reason` is for
    a person. `message_id` is the mail's own, by which answers name it.
    """

    email_id: str
    progress: Progress
    at: datetime | None = None
    message_id: str | None = None
    reason: str | None = None
    kind: BounceKind = "undetermined"
    diagnosis: str = ""


class EmailEvent(RootModel[dict[str, Any]]):
    """A webhook as the provider sent it; only its adapter knows what is in it."""


class EmailReports(Port, Protocol):
    @operation(unknown="retry")
    def read(self, event: dict[str, Any]) -> Arrival | Complaint | Receipt | None:
        """What a webhook says; None when it is nothing that we act on. It asks nobody.

        Raises ValueError when it is not what the provider documents."""
        ...


class Email(Port, Protocol):
    @operation(unknown="retry")
    def send(
        self,
        sender: str,
        to: str,
        subject: str,
        text: str,
        key: str,
        html: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Sent:
        """Send one e-mail. The provider keeps `key` for 24 h and never sends twice under it."""
        ...

    @operation(unknown="retry")
    def received(self, email_id: str) -> ReceivedEmail | None:
        """The words of a mail that a webhook announced; None when the provider has it no more."""
        ...
