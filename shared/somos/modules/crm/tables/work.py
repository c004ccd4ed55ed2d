"""How people organise their work on the pipeline: tags, views, imports, hand-overs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.crm.tables.deals import Deal, Pipeline
from somos.modules.crm.tables.people import Company, Contact
from somos.policy.scopes import Everyone, Own, Via

VIEW_OF = ("deals", "companies", "contacts")


class Tag(Table, Versioned):
    """A word the house marks records with."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("name_key"), {"schema": "crm"})
    __scope__ = Everyone()

    name: Mapped[str]
    name_key: Mapped[str]
    color: Mapped[str]


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

    tag_id: Mapped[UUID] = mapped_column(ForeignKey(Tag.id, ondelete="CASCADE"))
    deal_id: Mapped[UUID | None] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"), index=True)
    company_id: Mapped[UUID | None] = mapped_column(ForeignKey(Company.id, ondelete="CASCADE"), index=True)
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey(Contact.id, ondelete="CASCADE"), index=True)


class SavedView(Table, Versioned):
    """Filters a person keeps under a name; shared ones are read by all, changed by their owner."""

    __tablename__ = "saved_views"
    __table_args__ = (
        one_of("view_of", VIEW_OF),
        UniqueConstraint("owner_id", "view_of", "name"),
        {"schema": "crm"},
    )
    __scope__ = Own("owner_id", private=True, shared="shared")

    owner_id: Mapped[UUID]
    view_of: Mapped[str]
    name: Mapped[str]
    filters: Mapped[dict[str, Any]]
    shared: Mapped[bool] = mapped_column(default=False)


class Import(Table, Versioned):
    """A spreadsheet on its way in: seen first, applied when its owner says so, undone if they regret it."""

    __tablename__ = "imports"
    __table_args__ = (one_of("state", ["preview", "applied", "undone"]), {"schema": "crm"})
    __scope__ = Own("owner_id")

    owner_id: Mapped[UUID]
    filename: Mapped[str | None]
    encoding: Mapped[str]
    delimiter: Mapped[str]
    headers: Mapped[list[Any]]
    mapping: Mapped[dict[str, Any]]
    pipeline_id: Mapped[UUID | None] = mapped_column(ForeignKey(Pipeline.id))
    state: Mapped[str] = mapped_column(default="preview")
    applied_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]


class ImportRow(Table):
    """One line of it: what it said, what is wrong with it, what came of it.

    `made` holds the version of each record this line created: undo leaves alone what was touched since.
    """

    __tablename__ = "import_rows"
    __table_args__ = (
        one_of("state", ["ready", "duplicate", "invalid", "imported", "undone", "kept"]),
        UniqueConstraint("import_id", "line"),
        {"schema": "crm"},
    )
    __scope__ = Via(Import, "import_id")

    import_id: Mapped[UUID] = mapped_column(ForeignKey(Import.id, ondelete="CASCADE"))
    line: Mapped[int]
    cells: Mapped[dict[str, Any]]
    state: Mapped[str]
    problems: Mapped[list[Any]] = mapped_column(default=list)
    # What is wrong with the line as it stands in the file: no other reading of the columns mends it.
    unreadable: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    company_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    deal_id: Mapped[UUID | None]
    made: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Handover(Table):
    """A seller's portfolio passed to another person: from whom, to whom, why, and how much."""

    __tablename__ = "handovers"
    __table_args__ = ({"schema": "crm"},)
    __scope__ = Everyone(readers="deal.reassign", writers="deal.reassign")

    from_user_id: Mapped[UUID]
    to_user_id: Mapped[UUID]
    made_by: Mapped[UUID]
    reason: Mapped[str]
    deals: Mapped[int]
    companies: Mapped[int]
    contacts: Mapped[int]
    tasks: Mapped[int]
