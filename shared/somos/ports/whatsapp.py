"""WhatsApp: whether a number has it, sending one text, and reading what was said."""

from datetime import datetime
from typing import Protocol

from somos.mesh.effects import operation
from somos.ports.port import Port, Value
from somos.ports.sent import Sent

__all__ = ["ChatMessage", "ChatPage", "Sent", "Whatsapp", "WhatsappNumber"]


class WhatsappNumber(Value):
    """`jid` is the identity to send to and to store: it may differ from the number (9th digit)."""

    exists: bool
    jid: str | None = None


class ChatMessage(Value):
    """One message between us and one person. `lid` is the id that WhatsApp gives a hidden number."""

    provider_id: str
    from_me: bool
    jid: str
    phone: str | None = None
    lid: str | None = None
    text: str = ""
    name: str | None = None
    at: datetime | None = None


class ChatPage(Value):
    """Messages, the newest first; `next_page` when there are older ones."""

    messages: tuple[ChatMessage, ...] = ()
    next_page: int | None = None


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
