"""Who hires us, or may."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from somos.kernel.text import fold
from somos.mesh.tables import Table, Versioned, listed
from somos.modules.crm.tables.deals import Deal
from somos.policy.scopes import Behind, Own


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
        Index(None, "merged_into_id", postgresql_where=text("merged_into_id is not null")),
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
