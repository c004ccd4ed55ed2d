"""WhatsApp's own ids of accounts."""

from typing import ClassVar

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table
from somos.policy.scopes import Everyone


class HiddenNumber(Table):
    """Whose a hidden number is: WhatsApp's own id of an account, seen once beside its phone."""

    __tablename__ = "hidden_numbers"
    __table_args__ = (UniqueConstraint("lid"), {"schema": "sdr"})
    __scope__ = Everyone()
    __redact__: ClassVar[frozenset[str]] = frozenset({"lid"})

    lid: Mapped[str]
    phone_key: Mapped[str] = mapped_column(index=True)
