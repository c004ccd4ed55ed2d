"""Provenance rows, read as facts."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.hunter.rules.facts import Fact
from somos.modules.hunter.tables.lead_sources import LeadSource

COLUMNS = (
    "company_name", "legal_name", "cnpj", "domain", "phone", "email", "contact_name", "contact_role", "city", "uf",
    "address", "segment", "cnae", "size", "registry_status", "instagram", "linkedin", "facebook",
)  # fmt: skip


def facts_of(db: Session, lead_id: UUID) -> list[Fact]:
    """Everything known of one lead, in the order it was learnt."""
    return facts_of_all(db, [lead_id]).get(lead_id, [])


def facts_of_all(db: Session, ids: Collection[UUID]) -> dict[UUID, list[Fact]]:
    """The same for any number of leads at once."""
    by_lead: dict[UUID, list[Fact]] = {}
    for row in db.scalars(select(LeadSource).where(LeadSource.lead_id.in_(ids)).order_by(LeadSource.id)):
        by_lead.setdefault(row.lead_id, []).append(_fact(row))
    return by_lead


def _fact(row: LeadSource) -> Fact:
    source = row.source  # a CHECK keeps it to the known ones
    return Fact(row.field, row.value, source, row.method, row.url, row.seen_at, row.rank, row.late)  # type: ignore[arg-type]
