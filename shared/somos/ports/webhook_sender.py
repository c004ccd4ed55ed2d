"""Whoever reports to us by webhook: is it really them, and have they said this before."""

from collections.abc import Mapping
from typing import Any, Protocol

from somos.mesh.problems import Unauthorised

__all__ = ["Unauthorised", "WebhookSender"]


class WebhookSender(Protocol):
    # What its reports are stored with; signatures and tokens are checked and never stored.
    kept_headers: tuple[str, ...]

    def admit(self, headers: Mapping[str, str]) -> None:
        """Raise Unauthorised when the headers alone show that it is somebody else: then nothing more is read."""
        ...

    def verify(self, headers: Mapping[str, str], raw: bytes) -> None:
        """Raise Unauthorised unless these exact bytes are from the sender."""
        ...

    def slim(self, raw: bytes) -> bytes:
        """What of it is kept: all but what nobody reads."""
        ...

    def dedupe(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> str:
        """The same text for the same report, however often it is delivered."""
        ...
