"""Who is who in a company."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, listed, one_of
from somos.modules.crm.tables.contacts import Contact
from somos.policy.scopes import Via

ROLES = ("decide", "paga", "juridico", "producao", "contato")


class CompanyContact(Table):
    """What a person is in a company: decides, pays, legal, production; several roles are several rows."""

    __tablename__ = "company_contacts"
    __table_args__ = (
        one_of("role", ROLES),
        UniqueConstraint("company_id", "contact_id", "role"),
        *listed("role"),
        {"schema": "crm"},
    )
    __scope__ = Via(Contact, "contact_id")

    company_id: Mapped[UUID] = mapped_column(ForeignKey("crm.companies.id", ondelete="CASCADE"))
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("crm.contacts.id", ondelete="CASCADE"), index=True)
    role: Mapped[str]
