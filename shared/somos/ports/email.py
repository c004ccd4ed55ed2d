"""E-mail: sending one message to one person, and reading what was received."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import Field

from somos.mesh.effects import operation
from somos.ports.port import Port, Value
from somos.ports.sent import Sent

__all__ = ["Email", "ReceivedEmail", "Sent"]


class ReceivedEmail(Value):
    """A mail that came in. Everything in it is data from outside; header names are in lower case."""

    sender: str
    subject: str = ""
    text: str = ""
    headers: dict[str, str] = Field(default_factory=dict)


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
