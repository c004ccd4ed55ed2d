"""E-mail: sending one message to one person."""

from collections.abc import Mapping
from typing import Protocol

from somos.mesh.effects import operation
from somos.ports.port import Port
from somos.ports.sent import Sent

__all__ = ["Email", "Sent"]


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
