"""Which tag is on what."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, listed
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deals import Deal
from somos.policy.scopes import Via


class Tagging(Table):
    """A tag on one deal, company or contact; as visible as what it marks."""

    __tablename__ = "taggings"
    __table_args__ = (
        CheckConstraint("num_nonnulls(deal_id, company_id, contact_id) = 1", name="one_subject"),
        UniqueConstraint("tag_id", "deal_id"),
        UniqueConstraint("tag_id", "company_id"),
        UniqueConstraint("tag_id", "contact_id"),
        *listed("tag_id"),
        {"schema": "crm"},
    )
    __scope__ = Via(Deal, "deal_id") | Via(Company, "company_id") | Via(Contact, "contact_id")

    tag_id: Mapped[UUID] = mapped_column(ForeignKey("crm.tags.id", ondelete="CASCADE"))
    deal_id: Mapped[UUID | None] = mapped_column(ForeignKey("crm.deals.id", ondelete="CASCADE"), index=True)
    company_id: Mapped[UUID | None] = mapped_column(ForeignKey("crm.companies.id", ondelete="CASCADE"), index=True)
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("crm.contacts.id", ondelete="CASCADE"), index=True)
