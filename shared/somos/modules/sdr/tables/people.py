"""What people asked of us: never to be written to, to be written to again, or to talk."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, listed, one_of
from somos.modules.sdr.tables.guards import never_changed
from somos.modules.sdr.tables.senders import CHANNELS
from somos.policy.scopes import Everyone

SOURCES = ("word", "link", "list_unsubscribe", "complaint", "bounce", "manual", "erasure")


class Suppression(Table):
    """Never write to this address again. There is no way out of it, for any role.

    `key` is a keyed hash, so it outlives the person's data. `reach` is the person on every channel, or (a
    bounce) the one address that is dead.
    """

    __tablename__ = "suppressions"
    __table_args__ = (
        UniqueConstraint("key", "reach"),
        *listed("kind", "source", "reach"),
        one_of("kind", ["phone", "email"]),
        one_of("reach", ["person", "address"]),
        one_of("source", SOURCES),
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
    __table_args__ = (UniqueConstraint("response_id"), one_of("channel", CHANNELS), {"schema": "sdr"})
    __scope__ = Everyone(writers="person.suppress")
    __redact__: ClassVar[frozenset[str]] = frozenset({"quote"})

    key: Mapped[str] = mapped_column(index=True)
    channel: Mapped[str]
    response_id: Mapped[UUID]
    quote: Mapped[str]
    at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class AcceptedLead(Table):
    """This lead was handed to the pipeline: the row that makes it happen once."""

    __tablename__ = "accepted_leads"
    __table_args__ = (UniqueConstraint("lead_id"), {"schema": "sdr"})
    __scope__ = Everyone()

    lead_id: Mapped[UUID]
    response_id: Mapped[UUID]
    owner_id: Mapped[UUID]
