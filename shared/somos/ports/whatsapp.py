"""WhatsApp: whether a number has it, sending one text, and reading what was said."""

from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import RootModel

from somos.mesh.effects import operation
from somos.ports.port import Port, Value
from somos.ports.sent import Sent

# text: something was said. unreadable: something was said, and only the phone shows what.
Kind = Literal["text", "unreadable", "edit", "reaction", "deletion"]


class WhatsappNumber(Value):
    """`jid` is the identity to send to and to store: it may differ from the number (9th digit)."""

    exists: bool
    jid: str | None = None


class ChatMessage(Value):
    """One message between us and one person. `lid` is the id that WhatsApp gives a hidden number.

    `about` is the provider's id of the message that an edit, a reaction or a deletion is about; who wrote that may be
    all that is known of the author: then `jid` is empty. The text of a reaction that was taken back is empty too.
    """

    provider_id: str
    from_me: bool
    jid: str
    kind: Kind = "text"
    about: str | None = None
    phone: str | None = None
    lid: str | None = None
    text: str = ""
    name: str | None = None
    at: datetime | None = None


class ChatPage(Value):
    """Messages, the newest first; `next_page` when there are older ones."""

    messages: tuple[ChatMessage, ...] = ()
    next_page: int | None = None


class MessageReport(Value):
    """A message of a chat. `through_api`: it was sent through the provider; some versions do not say so."""

    message: ChatMessage
    through_api: bool = False


class Receipt(Value):
    """How far a message of ours has come; it never goes back."""

    provider_id: str
    receipt: Literal["sent", "delivered", "read", "failed"]


class Connection(Value):
    """The number was connected, lost its connection, or was blocked; `reason` is for a person."""

    health: Literal["ok", "disconnected", "blocked"]
    reason: str


class Reports(Value):
    """What one webhook tells of the connected sender `account`, and the words in it that nobody knows."""

    account: str
    reports: tuple[MessageReport | Receipt | Connection, ...] = ()
    unknown: tuple[str, ...] = ()


class WhatsappEvent(RootModel[dict[str, Any]]):
    """A webhook as the provider sent it; only its adapter knows what is in it."""


class WhatsappReports(Port, Protocol):
    @operation(unknown="retry")
    def read(self, event: dict[str, Any]) -> Reports:
        """What a webhook says. It asks nobody, and raises nothing whatever it is given."""
        ...


class Whatsapp(Port, Protocol):
    @operation(unknown="retry")
    def check_number(self, number: str, instance: str = "") -> WhatsappNumber:
        """Whether this E.164 number is on WhatsApp, tried with and without the 9th digit.

        `instance` is the connected sender that asks; empty means the default one.
        """
        ...

    @operation(unknown="park")
    def send_text(self, instance: str, jid: str, text: str, key: str) -> Sent:
        """Send one text from the connected sender `instance`.

        The provider takes no idempotency key, so an unknown outcome is never repeated: a webhook may settle
        it (`send.message`, `messages.update`), or a person does. `key` only names the attempt.
        """
        ...

    @operation(unknown="retry")
    def messages(self, instance: str, page: int = 1, jid: str | None = None) -> ChatPage:
        """The `page`-th page (from 1) of what was said on `instance`, with everybody or with `jid` only.

        Webhooks repeat and get lost; this is how what they lost is found.
        """
        ...
