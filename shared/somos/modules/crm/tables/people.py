"""Companies, the people in them, and the record of two becoming one."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from somos.kernel.text import fold
from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.crm.scopes import Behind
from somos.modules.crm.tables.deals import Deal
from somos.policy.scopes import Own, Via

CONTACT_ROLES = ("decide", "paga", "juridico", "producao", "contato")


class Company(Table, Versioned):
    """Who hires us. `document` is a CNPJ (14 characters) or the CPF of a person who hires alone (11)."""

    __tablename__ = "companies"
    __table_args__ = (
        CheckConstraint("length(document) in (11, 14)", name="document"),
        # One live company per document, whoever owns it: two sellers never court one client unknowingly.
        Index("uq_companies_document", "document", unique=True, postgresql_where=text("merged_into_id is null")),
        Index("ix_companies_domain", "domain"),
        Index("ix_companies_phone", "phone"),
        Index("ix_companies_email", "email"),
        Index("ix_companies_owner_id", "owner_id", "id"),
        *listed("name_key", "city", "uf", "segment"),
        {"schema": "crm"},
    )
    __scope__ = Own("owner_id") | Behind(Deal, "company_id")
    __searched__ = ("name_key",)

    name: Mapped[str]
    name_key: Mapped[str]
    legal_name: Mapped[str | None]
    document: Mapped[str | None]
    domain: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    city: Mapped[str | None]
    uf: Mapped[str | None]
    segment: Mapped[str | None]
    notes: Mapped[str | None]
    owner_id: Mapped[UUID | None]
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("crm.companies.id"))

    @validates("name")
    def _fold_name(self, _: str, name: str) -> str:
        self.name_key = fold(name)
        return name


class Contact(Table, Versioned):
    """A person we talk to, in one company or several."""

    __tablename__ = "contacts"
    __table_args__ = (
        Index("ix_contacts_email", "email"),
        Index("ix_contacts_phone", "phone"),
        Index("ix_contacts_owner_id", "owner_id", "id"),
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


class CompanyContact(Table):
    """What a person is in a company: decides, pays, legal, production; several roles are several rows."""

    __tablename__ = "company_contacts"
    __table_args__ = (
        one_of("role", CONTACT_ROLES),
        UniqueConstraint("company_id", "contact_id", "role"),
        *listed("role"),
        {"schema": "crm"},
    )
    __scope__ = Via(Contact, "contact_id")

    company_id: Mapped[UUID] = mapped_column(ForeignKey(Company.id, ondelete="CASCADE"))
    contact_id: Mapped[UUID] = mapped_column(ForeignKey(Contact.id, ondelete="CASCADE"), index=True)
    role: Mapped[str]


class Merge(Table):
    """Two records became one: which survived, what was chosen, and what the other one held."""

    __tablename__ = "merges"
    __table_args__ = (one_of("kind", ["company", "contact"]), {"schema": "crm"})
    __scope__ = Own("merged_by")

    kind: Mapped[str]
    survivor_id: Mapped[UUID]
    absorbed_id: Mapped[UUID]
    merged_by: Mapped[UUID]
    choices: Mapped[dict[str, Any]]
    absorbed_values: Mapped[dict[str, Any]]
    moved: Mapped[dict[str, Any]]
