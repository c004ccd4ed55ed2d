"""Who asked never to be written to, and who wrote to us again."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, get_args
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, listed, one_of
from somos.modules.sdr.rules.words import AddressKind, Channel, SuppressionReach, SuppressionSource
from somos.modules.sdr.tables.guards import never_changed
from somos.policy.scopes import Everyone


class Suppression(Table):
    """Never write to this address again. There is no way out of it, for any role.

    `key` is a keyed hash, so it outlives the person's data. `reach` is the person on every channel, or (a
    bounce) the one address that is dead.
    """

    __tablename__ = "suppressions"
    __table_args__ = (
        UniqueConstraint("key", "reach"),
        *listed("kind", "source", "reach"),
        one_of("kind", get_args(AddressKind)),
        one_of("reach", get_args(SuppressionReach)),
        one_of("source", get_args(SuppressionSource)),
        {"schema": "sdr"},
    )
    __scope__ = Everyone(writers="person.suppress")

    key: Mapped[str]
    kind: Mapped[str]
    reach: Mapped[str] = mapped_column(default="person")
    source: Mapped[str]
    channel: Mapped[str | None]
    response_id: Mapped[UUID | None]
    message_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    added_by: Mapped[UUID | None]

    @classmethod
    def __extra_ddl__(cls, app_role: str) -> Iterable[str]:
        return never_changed("sdr.suppressions", app_role)


class Reconsent(Table):
    """A suppressed person wrote to us again: on this channel they may be answered, until they revoke it."""

    __tablename__ = "reconsents"
    __table_args__ = (UniqueConstraint("response_id"), one_of("channel", get_args(Channel)), {"schema": "sdr"})
    __scope__ = Everyone(writers="person.suppress")
    __redact__: ClassVar[frozenset[str]] = frozenset({"quote"})

    key: Mapped[str] = mapped_column(index=True)
    channel: Mapped[str]
    response_id: Mapped[UUID]
    quote: Mapped[str]
    at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
