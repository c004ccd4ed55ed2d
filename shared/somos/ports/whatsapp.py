"""WhatsApp: whether a number has it, and sending one text."""

from typing import Protocol

from somos.mesh.effects import operation
from somos.ports.port import Port, Value
from somos.ports.sent import Sent

__all__ = ["Sent", "Whatsapp", "WhatsappNumber"]


class WhatsappNumber(Value):
    """`jid` is the identity to send to and to store: it may differ from the number (9th digit)."""

    exists: bool
    jid: str | None = None


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
