"""The people we talk to."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from somos.kernel.text import fold
from somos.mesh.tables import Table, Versioned, listed
from somos.modules.crm.tables.deals import Deal
from somos.policy.scopes import Behind, Own


class Contact(Table, Versioned):
    """A person we talk to, in one company or several."""

    __tablename__ = "contacts"
    __table_args__ = (
        Index("ix_contacts_email", "email"),
        Index("ix_contacts_phone", "phone"),
        Index("ix_contacts_owner_id", "owner_id", "id"),
        Index(None, "merged_into_id", postgresql_where=text("merged_into_id is not null")),
        *listed("name_key"),
        {"schema": "crm"},
    )
    __scope__ = Own("owner_id") | Behind(Deal, "contact_id")
    __searched__ = ("name_key", "email")

    name: Mapped[str]
    name_key: Mapped[str]
    title: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    notes: Mapped[str | None]
    owner_id: Mapped[UUID | None]
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("crm.contacts.id"))

    @validates("name")
    def _fold_name(self, _: str, name: str) -> str:
        self.name_key = fold(name)
        return name
