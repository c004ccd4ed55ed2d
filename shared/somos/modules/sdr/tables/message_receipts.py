"""What providers reported of messages."""

from datetime import datetime
from typing import ClassVar, get_args

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from somos.mesh.tables import Table, one_of
from somos.modules.sdr.rules.words import Receipt
from somos.policy.scopes import Everyone


class MessageReceipt(Table):
    """What a provider said of a message, kept even when it arrives before we know the message's id there."""

    __tablename__ = "message_receipts"
    __table_args__ = (
        UniqueConstraint("channel", "provider_id", "receipt"),
        one_of("receipt", get_args(Receipt)),
        {"schema": "sdr"},
    )
    __scope__ = Everyone()
    __redact__: ClassVar[frozenset[str]] = frozenset({"detail"})
    __audited__: ClassVar[tuple[str, ...]] = ("update", "delete")

    channel: Mapped[str]
    provider_id: Mapped[str]
    receipt: Mapped[str]
    at: Mapped[datetime]
    detail: Mapped[str | None]
    rfc_id: Mapped[str | None]  # the mail's own id, which an answer names
